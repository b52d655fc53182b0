/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-cache.h"

#include "cache-file.h"
#include "vk-shaders.h"

#define FORMAT 1
#define KIND "pipelines"
#define MOST_BYTES ((size_t)256 << 20)

static char *hash_shaders(void)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    for (int i = 0; i < VK_SHADER_COUNT; i++) {
        VulkanSpirv code = vk_shader_spirv((VulkanShader)i);
        g_checksum_update(checksum, (const guchar *)code.words, (gssize)code.bytes);
    }
    return g_strdup(g_checksum_get_string(checksum));
}

char *vk_cache_identity(const VulkanGpu *gpu)
{
    const VkPhysicalDeviceProperties *p = &gpu->properties;
    g_autofree char *shaders = hash_shaders();
    GString *text = g_string_new(NULL);
    g_string_printf(text, "%d %zu %u:%u:%u %s %s %s ", FORMAT, sizeof(void *), p->vendorID,
                    p->deviceID, p->driverVersion, gpu->name, gpu->driver, shaders);
    for (size_t i = 0; i < VK_UUID_SIZE; i++)
        g_string_append_printf(text, "%02x", p->pipelineCacheUUID[i]);
    return g_string_free(text, FALSE);
}

static VkPipelineCache make(VulkanGpu *gpu, const void *data, gsize bytes)
{
    VkPipelineCache cache = VK_NULL_HANDLE;
    const VkPipelineCacheCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
                                            .initialDataSize = bytes,
                                            .pInitialData = data};
    if (gpu->vk.vkCreatePipelineCache(gpu->device, &info, NULL, &cache) != VK_SUCCESS)
        return VK_NULL_HANDLE;
    return cache;
}

VkPipelineCache vk_cache_open(VulkanGpu *gpu)
{
    gsize bytes = 0;
    g_autofree char *identity = vk_cache_identity(gpu);
    g_autofree char *data = pix_cache_read(KIND, identity, &bytes);
    return make(gpu, data, bytes);
}

static void save(VulkanGpu *gpu, VkPipelineCache cache)
{
    size_t bytes = 0;
    if (gpu->vk.vkGetPipelineCacheData(gpu->device, cache, &bytes, NULL) != VK_SUCCESS ||
        bytes == 0 || bytes > MOST_BYTES)
        return;
    g_autofree char *data = g_try_malloc(bytes), *identity = vk_cache_identity(gpu);
    if (data && gpu->vk.vkGetPipelineCacheData(gpu->device, cache, &bytes, data) == VK_SUCCESS)
        pix_cache_write(KIND, identity, data, bytes);
}

void vk_cache_close(VulkanGpu *gpu, VkPipelineCache cache)
{
    if (!cache)
        return;
    save(gpu, cache);
    gpu->vk.vkDestroyPipelineCache(gpu->device, cache, NULL);
}
