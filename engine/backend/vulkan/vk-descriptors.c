/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-descriptors.h"

#define SETS 64 /* of a pool */

void vk_descriptors_init(VulkanDescriptors *descriptors, VulkanGpu *gpu)
{
    *descriptors = (VulkanDescriptors){gpu, g_array_new(FALSE, FALSE, sizeof(VkDescriptorPool)), 0};
}

void vk_descriptors_clear(VulkanDescriptors *descriptors)
{
    VulkanGpu *gpu = descriptors->gpu;
    for (guint i = 0; i < descriptors->pools->len && !vk_gpu_is_abandoned(gpu); i++)
        gpu->vk.vkDestroyDescriptorPool(
            gpu->device, g_array_index(descriptors->pools, VkDescriptorPool, i), NULL);
    g_array_unref(descriptors->pools);
}

void vk_descriptors_forget(VulkanDescriptors *descriptors)
{
    VulkanGpu *gpu = descriptors->gpu;
    for (guint i = 0; i < descriptors->pools->len; i++)
        gpu->vk.vkResetDescriptorPool(gpu->device,
                                      g_array_index(descriptors->pools, VkDescriptorPool, i), 0);
    descriptors->n = 0;
}

static bool add_pool(VulkanDescriptors *descriptors, GError **error)
{
    VulkanGpu *gpu = descriptors->gpu;
    const VkDescriptorPoolSize sizes[] = {
        {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, SETS * VK_BINDINGS},
        {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, SETS},
    };
    const VkDescriptorPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                             .maxSets = SETS,
                                             .poolSizeCount = G_N_ELEMENTS(sizes),
                                             .pPoolSizes = sizes};
    VkDescriptorPool pool;
    if (!VK_MAKE(gpu, vkCreateDescriptorPool, &info, &pool, error))
        return false;
    g_array_append_val(descriptors->pools, pool);
    return true;
}

VkDescriptorSet vk_descriptors_take(VulkanDescriptors *descriptors, GError **error)
{
    VulkanGpu *gpu = descriptors->gpu;
    VkDescriptorSet set = VK_NULL_HANDLE;
    guint index = descriptors->n / SETS;
    if (index == descriptors->pools->len && !add_pool(descriptors, error))
        return VK_NULL_HANDLE;
    const VkDescriptorSetAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
        .descriptorPool = g_array_index(descriptors->pools, VkDescriptorPool, index),
        .descriptorSetCount = 1,
        .pSetLayouts = &gpu->set_layout};
    if (!vk_gpu_check(gpu, gpu->vk.vkAllocateDescriptorSets(gpu->device, &info, &set),
                      "vkAllocateDescriptorSets", error))
        return VK_NULL_HANDLE;
    descriptors->n++;
    return set;
}

void vk_descriptors_bind(const VulkanDescriptors *descriptors, VkCommandBuffer commands,
                         VkDescriptorSet set, const VkDescriptorBufferInfo infos[VK_BINDINGS + 1])
{
    VulkanGpu *gpu = descriptors->gpu;
    VkWriteDescriptorSet writes[VK_BINDINGS + 1];
    for (uint32_t i = 0; i <= VK_BINDINGS; i++)
        writes[i] = (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                           .dstSet = set,
                                           .dstBinding = i,
                                           .descriptorCount = 1,
                                           .descriptorType =
                                               i < VK_BINDINGS ? VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
                                                               : VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
                                           .pBufferInfo = &infos[i]};
    gpu->vk.vkUpdateDescriptorSets(gpu->device, G_N_ELEMENTS(writes), writes, 0, NULL);
    gpu->vk.vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, gpu->pipeline_layout,
                                    0, 1, &set, 0, NULL);
}
