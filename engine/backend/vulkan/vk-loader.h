/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** The loader, one instance for the process while anything uses it, and its physical devices. */
#ifndef PIX_VK_LOADER_H
#define PIX_VK_LOADER_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>
#include <volk.h>

/** VK_API_WANTED: what the instance asks for, and the least that a device must have. */
#define VK_API_WANTED VK_API_VERSION_1_1

/** VulkanChoice: a physical device and its place in the driver's list. */
typedef struct {
    VkPhysicalDevice physical;
    uint32_t index;
} VulkanChoice;

/** vk_loader_ref: Errors: NO_DEVICE: no loader, no driver; NO_MEMORY. Undone by vk_loader_unref(). */
bool vk_loader_ref(GError **error);
void vk_loader_unref(void);

/**
 * vk_loader_choose:
 * Between vk_loader_ref() and vk_loader_unref(). @name, @real: as of vk_gpu_open().
 * Errors: NO_DEVICE, which lists those that there are.
 */
bool vk_loader_choose(const char *name, bool real, VulkanChoice *choice, GError **error);

/**
 * vk_loader_list:
 * Adds the index of each device that can compute, as g_malloc()ed text; the one that
 * vk_loader_choose() takes first. One that comes twice, with one driver, counts once. @real: as of
 * vk_gpu_open().
 */
void vk_loader_list(GPtrArray *names, bool real);

/** vk_loader_uuid: Returns: (transfer full): of the device, as "00000000-0000-0000-0000-000000000000". */
char *vk_loader_uuid(VkPhysicalDevice physical);

/** vk_loader_properties: Fills a structure that extends VkPhysicalDeviceProperties2 and has its sType. */
void vk_loader_properties(VkPhysicalDevice physical, void *properties);

/** vk_loader_queue_family: Returns: the first family of @physical that computes; -1 for none. */
int vk_loader_queue_family(VkPhysicalDevice physical);

/** vk_loader_timestamp_bits: How many bits the clock of a family's queues has; 0: there is none. */
uint32_t vk_loader_timestamp_bits(VkPhysicalDevice physical, uint32_t family);

#endif
