/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-features.h"

#include <glib.h>
#include <string.h>

#include "vk-loader.h"

#define SIDE 16 /* of shaders/matrix.glsl */
#define TEAM 32

static const char *const tensor_extensions[] = {VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME,
                                                VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME,
                                                VK_NV_COOPERATIVE_MATRIX_EXTENSION_NAME};

/* The structures in a row; @tensor: also those that need the extensions. */
static void *link_chain(VulkanFeatureChain *chain, bool tensor)
{
    *chain = (VulkanFeatureChain){
        .storage = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES},
        .arithmetic = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES},
        .memory_model = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES},
        .matrices = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_NV}};
    if (tensor) {
        chain->storage.pNext = &chain->arithmetic;
        chain->arithmetic.pNext = &chain->memory_model;
        chain->memory_model.pNext = &chain->matrices;
    }
    return &chain->storage;
}

/* ---- what there is ---- */

static bool has_extension(const VkExtensionProperties *list, uint32_t n, const char *name)
{
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(list[i].extensionName, name) == 0)
            return true;
    return false;
}

static bool has_extensions(VkPhysicalDevice physical)
{
    uint32_t n = 0;
    bool all = true;
    if (vkEnumerateDeviceExtensionProperties(physical, NULL, &n, NULL) != VK_SUCCESS || n == 0)
        return false;
    g_autofree VkExtensionProperties *list = g_new0(VkExtensionProperties, n);
    if (vkEnumerateDeviceExtensionProperties(physical, NULL, &n, list) != VK_SUCCESS)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(tensor_extensions); i++)
        all = all && has_extension(list, n, tensor_extensions[i]);
    return all && vkGetPhysicalDeviceCooperativeMatrixPropertiesNV;
}

static bool is_wanted(const VkCooperativeMatrixPropertiesNV *p)
{
    return p->MSize == SIDE && p->NSize == SIDE && p->KSize == SIDE &&
           p->AType == VK_COMPONENT_TYPE_FLOAT16_NV && p->BType == VK_COMPONENT_TYPE_FLOAT16_NV &&
           p->CType == VK_COMPONENT_TYPE_FLOAT32_NV && p->DType == VK_COMPONENT_TYPE_FLOAT32_NV &&
           p->scope == VK_SCOPE_SUBGROUP_NV;
}

static bool has_matrices(VkPhysicalDevice physical)
{
    uint32_t n = 0;
    if (vkGetPhysicalDeviceCooperativeMatrixPropertiesNV(physical, &n, NULL) != VK_SUCCESS ||
        n == 0)
        return false;
    g_autofree VkCooperativeMatrixPropertiesNV *list = g_new0(VkCooperativeMatrixPropertiesNV, n);
    for (uint32_t i = 0; i < n; i++)
        list[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_NV;
    if (vkGetPhysicalDeviceCooperativeMatrixPropertiesNV(physical, &n, list) != VK_SUCCESS)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (is_wanted(&list[i]))
            return true;
    return false;
}

static bool has_teams(VkPhysicalDevice physical)
{
    VkPhysicalDeviceSubgroupProperties subgroups = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES};
    vk_loader_properties(physical, &subgroups);
    return subgroups.subgroupSize == TEAM;
}

VulkanFeatures vk_features_find(VkPhysicalDevice physical)
{
    VulkanFeatureChain chain;
    bool tensor = has_extensions(physical);
    VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                          .pNext = link_chain(&chain, tensor)};
    vkGetPhysicalDeviceFeatures2(physical, &features);
    bool half = chain.storage.storageBuffer16BitAccess;
    return (VulkanFeatures){.half = half,
                            .tensor = half && chain.arithmetic.shaderFloat16 &&
                                      chain.memory_model.vulkanMemoryModel &&
                                      chain.matrices.cooperativeMatrix && has_teams(physical) &&
                                      has_matrices(physical)};
}

/* ---- what is asked for ---- */

void vk_features_enable(VulkanFeatures features, VulkanFeatureChain *chain,
                        VkDeviceCreateInfo *info)
{
    void *first = link_chain(chain, features.tensor);
    chain->storage.storageBuffer16BitAccess = features.half;
    chain->arithmetic.shaderFloat16 = features.tensor;
    chain->memory_model.vulkanMemoryModel = features.tensor;
    chain->matrices.cooperativeMatrix = features.tensor;
    if (features.half)
        info->pNext = first;
    if (features.tensor) {
        info->enabledExtensionCount = G_N_ELEMENTS(tensor_extensions);
        info->ppEnabledExtensionNames = tensor_extensions;
    }
}
