/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-pipeline.h"

#include <string.h>

#include "vk-cache.h"
#include "vk-error.h"

/** Entry: a pipeline in the table, key and value in one. */
typedef struct {
    VulkanShader shader;
    int n;
    uint32_t constants[VK_CONSTANTS];
    VkPipeline pipeline;
} Entry;

static guint hash(gconstpointer key)
{
    const Entry *entry = key;
    guint value = (guint)entry->shader;
    for (int i = 0; i < entry->n; i++)
        value = value * 31 + entry->constants[i];
    return value;
}

static gboolean equal(gconstpointer a, gconstpointer b)
{
    const Entry *x = a, *y = b;
    return x->shader == y->shader && x->n == y->n &&
           memcmp(x->constants, y->constants, (size_t)x->n * sizeof(uint32_t)) == 0;
}

/* ---- layouts ---- */

/* The storage buffers, and one uniform buffer with what varies from frame to frame. */
static bool make_set_layout(VulkanGpu *gpu, GError **error)
{
    VkDescriptorSetLayoutBinding bindings[VK_BINDINGS + 1];
    for (uint32_t i = 0; i <= VK_BINDINGS; i++)
        bindings[i] = (VkDescriptorSetLayoutBinding){
            .binding = i,
            .descriptorType = i < VK_BINDINGS ? VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
                                              : VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
            .descriptorCount = 1,
            .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    const VkDescriptorSetLayoutCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = G_N_ELEMENTS(bindings),
        .pBindings = bindings};
    return VK_MAKE(gpu, vkCreateDescriptorSetLayout, &info, &gpu->set_layout, error);
}

static bool make_pipeline_layout(VulkanGpu *gpu, GError **error)
{
    const VkPushConstantRange range = {VK_SHADER_STAGE_COMPUTE_BIT, 0, VK_PUSH_BYTES};
    const VkPipelineLayoutCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                             .setLayoutCount = 1,
                                             .pSetLayouts = &gpu->set_layout,
                                             .pushConstantRangeCount = 1,
                                             .pPushConstantRanges = &range};
    return VK_MAKE(gpu, vkCreatePipelineLayout, &info, &gpu->pipeline_layout, error);
}

bool vk_pipelines_init(VulkanGpu *gpu, GError **error)
{
    gpu->pipelines = g_hash_table_new_full(hash, equal, g_free, NULL);
    gpu->cache = vk_cache_open(gpu);
    return make_set_layout(gpu, error) && make_pipeline_layout(gpu, error);
}

void vk_pipelines_clear(VulkanGpu *gpu)
{
    GHashTableIter iter;
    gpointer key;
    if (gpu->pipelines) {
        g_hash_table_iter_init(&iter, gpu->pipelines);
        while (g_hash_table_iter_next(&iter, &key, NULL))
            gpu->vk.vkDestroyPipeline(gpu->device, ((Entry *)key)->pipeline, NULL);
        g_hash_table_unref(gpu->pipelines);
    }
    vk_cache_close(gpu, gpu->cache);
    gpu->vk.vkDestroyPipelineLayout(gpu->device, gpu->pipeline_layout, NULL);
    gpu->vk.vkDestroyDescriptorSetLayout(gpu->device, gpu->set_layout, NULL);
}

/* ---- pipelines ---- */

static bool make_module(VulkanGpu *gpu, VulkanShader shader, VkShaderModule *module, GError **error)
{
    VulkanSpirv code = vk_shader_spirv(shader);
    const VkShaderModuleCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                           .codeSize = code.bytes,
                                           .pCode = code.words};
    return VK_MAKE(gpu, vkCreateShaderModule, &info, module, error);
}

static bool make_pipeline(VulkanGpu *gpu, Entry *entry, GError **error)
{
    VkShaderModule module;
    VkSpecializationMapEntry map[VK_CONSTANTS];
    if (!make_module(gpu, entry->shader, &module, error))
        return false;
    for (uint32_t i = 0; i < VK_CONSTANTS; i++)
        map[i] = (VkSpecializationMapEntry){i, i * sizeof(uint32_t), sizeof(uint32_t)};
    const VkSpecializationInfo constants = {.mapEntryCount = (uint32_t)entry->n,
                                            .pMapEntries = map,
                                            .dataSize = (size_t)entry->n * sizeof(uint32_t),
                                            .pData = entry->constants};
    const VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = "main",
                  .pSpecializationInfo = &constants},
        .layout = gpu->pipeline_layout};
    VkResult result =
        gpu->vk.vkCreateComputePipelines(gpu->device, gpu->cache, 1, &info, NULL, &entry->pipeline);
    gpu->vk.vkDestroyShaderModule(gpu->device, module, NULL);
    return vk_gpu_check(gpu, result, "vkCreateComputePipelines", error);
}

static Entry *find_or_make(VulkanGpu *gpu, const Entry *key, GError **error)
{
    Entry *entry = g_hash_table_lookup(gpu->pipelines, key);
    if (entry)
        return entry;
    entry = g_memdup2(key, sizeof *key);
    if (!make_pipeline(gpu, entry, error)) {
        g_free(entry);
        return NULL;
    }
    g_hash_table_insert(gpu->pipelines, entry, entry);
    return entry;
}

VkPipeline vk_pipeline_get(VulkanGpu *gpu, VulkanShader shader, const uint32_t *constants, int n,
                           GError **error)
{
    Entry key = {.shader = shader, .n = n};
    g_assert(n <= VK_CONSTANTS);
    if (n > 0)
        memcpy(key.constants, constants, (size_t)n * sizeof(uint32_t));
    g_mutex_lock(&gpu->pipelines_lock);
    const Entry *entry = find_or_make(gpu, &key, error);
    g_mutex_unlock(&gpu->pipelines_lock);
    return entry ? entry->pipeline : VK_NULL_HANDLE;
}
