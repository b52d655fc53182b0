/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Compiled pipelines from one run of a program to the next, a file of core/cache-file.h for each GPU,
 * driver, build of the shaders and kind of processor: what another one wrote never reaches the driver,
 * nor does a file that is not whole.
 */
#ifndef PIX_VK_CACHE_H
#define PIX_VK_CACHE_H

#include "vk-gpu.h"

/**
 * vk_cache_identity:
 * Returns: (transfer full): a text of all that compiled code and its results depend on. Drivers check
 * less: some take any bytes at all for their own.
 */
char *vk_cache_identity(const VulkanGpu *gpu);

/** vk_cache_open: Returns: one to make pipelines with, from the file if that is good. */
VkPipelineCache vk_cache_open(VulkanGpu *gpu);
/** vk_cache_close: Writes the file anew, if there is more to be kept. Accepts VK_NULL_HANDLE. */
void vk_cache_close(VulkanGpu *gpu, VkPipelineCache cache);

#endif
