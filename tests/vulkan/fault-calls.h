/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** Functions of a device between a program and the next in the chain: see fault-layer.c. */
#ifndef FAULT_CALLS_H
#define FAULT_CALLS_H

#include <vulkan/vulkan.h>

/** fault_next: What the chain calls a function of a device. */
extern PFN_vkGetDeviceProcAddr fault_next;
/** fault_device: The last that was made: for functions that get a queue or a command buffer. */
extern VkDevice fault_device;

/** fault_find_call: Returns: what to call instead; NULL for functions that are left alone. */
PFN_vkVoidFunction fault_find_call(const char *name);

#endif
