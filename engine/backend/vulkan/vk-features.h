/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What the shaders can use of a GPU where it is there, and how a device is made with it. */
#ifndef PIX_VK_FEATURES_H
#define PIX_VK_FEATURES_H

#include <stdbool.h>

#include <volk.h>

typedef struct {
    bool half;   /* 16-bit floats in buffers */
    bool tensor; /* and products of matrices of 16 by 16 of them, by subgroups of 32 */
} VulkanFeatures;

/** vk_features_find: All that @physical has. */
VulkanFeatures vk_features_find(VkPhysicalDevice physical);

/** VulkanFeatureChain: what vkCreateDevice() is told of them. */
typedef struct {
    VkPhysicalDevice16BitStorageFeatures storage;
    VkPhysicalDeviceShaderFloat16Int8Features arithmetic;
    VkPhysicalDeviceVulkanMemoryModelFeatures memory_model;
    VkPhysicalDeviceCooperativeMatrixFeaturesNV matrices;
} VulkanFeatureChain;

/** vk_features_enable: Has @info ask for @features and nothing else. @chain: lives as long as that. */
void vk_features_enable(VulkanFeatures features, VulkanFeatureChain *chain,
                        VkDeviceCreateInfo *info);

#endif
