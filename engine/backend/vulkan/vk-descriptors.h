/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What the dispatches of one recording see: a descriptor set each, of pools that grow. */
#ifndef PIX_VK_DESCRIPTORS_H
#define PIX_VK_DESCRIPTORS_H

#include "vk-gpu.h"

/** VulkanDescriptors: */
typedef struct {
    VulkanGpu *gpu;
    GArray *pools; /* of VkDescriptorPool */
    unsigned n;    /* sets in use, of all of them */
} VulkanDescriptors;

void vk_descriptors_init(VulkanDescriptors *descriptors, VulkanGpu *gpu);
/** vk_descriptors_clear: The recording is not under way; or the GPU is abandoned. */
void vk_descriptors_clear(VulkanDescriptors *descriptors);
/** vk_descriptors_forget: None is in use any more. */
void vk_descriptors_forget(VulkanDescriptors *descriptors);

/** vk_descriptors_take: A set of its own for a dispatch. Errors: NO_MEMORY. */
VkDescriptorSet vk_descriptors_take(VulkanDescriptors *descriptors, GError **error);
/**
 * vk_descriptors_bind:
 * @set for the next dispatch in @commands. @infos: the storage buffers, then the uniform buffer.
 */
void vk_descriptors_bind(const VulkanDescriptors *descriptors, VkCommandBuffer commands,
                         VkDescriptorSet set, const VkDescriptorBufferInfo infos[VK_BINDINGS + 1]);

#endif
