/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-cache.h"

#include <string.h>

#include "vk-shaders.h"

#define FORMAT 1
#define DIGEST 32         /* bytes of SHA-256 */
#define HEAD (2 * DIGEST) /* of what it belongs to, and of what follows */
#define MOST_BYTES ((gsize)256 << 20)

static void digest(const void *data, gsize bytes, guint8 out[DIGEST])
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize length = DIGEST;
    g_checksum_update(checksum, data, (gssize)bytes);
    g_checksum_get_digest(checksum, out, &length);
}

static char *hash_shaders(void)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    for (int i = 0; i < VK_SHADER_COUNT; i++) {
        VulkanSpirv code = vk_shader_spirv((VulkanShader)i);
        g_checksum_update(checksum, (const guchar *)code.words, (gssize)code.bytes);
    }
    return g_strdup(g_checksum_get_string(checksum));
}

/* Everything that compiled code depends on. Drivers check less: some take any bytes at all. */
static void identify(const VulkanGpu *gpu, guint8 key[DIGEST])
{
    const VkPhysicalDeviceProperties *p = &gpu->properties;
    g_autofree char *shaders = hash_shaders();
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_printf(text, "%d %zu %u:%u:%u %s %s %s ", FORMAT, sizeof(void *), p->vendorID,
                    p->deviceID, p->driverVersion, gpu->name, gpu->driver, shaders);
    g_string_append_len(text, (const char *)p->pipelineCacheUUID, VK_UUID_SIZE);
    digest(text->str, text->len, key);
}

static char *file_name(const guint8 key[DIGEST])
{
    GString *name = g_string_new("pipelines-");
    for (int i = 0; i < 8; i++)
        g_string_append_printf(name, "%02x", key[i]);
    g_autofree char *base = g_string_free(name, FALSE);
    return g_build_filename(g_get_user_cache_dir(), "pix2pix", base, NULL);
}

/* Whether the file's @bytes are of @key and whole. */
static bool is_good(const char *data, gsize bytes, const guint8 key[DIGEST])
{
    guint8 found[DIGEST];
    if (bytes < HEAD || bytes > MOST_BYTES || memcmp(data, key, DIGEST) != 0)
        return false;
    digest(data + HEAD, bytes - HEAD, found);
    return memcmp(data + DIGEST, found, DIGEST) == 0;
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
    guint8 key[DIGEST];
    g_autofree char *data = NULL;
    gsize bytes = 0;
    identify(gpu, key);
    g_autofree char *file = file_name(key);
    if (g_file_get_contents(file, &data, &bytes, NULL) && is_good(data, bytes, key))
        return make(gpu, data + HEAD, bytes - HEAD);
    return make(gpu, NULL, 0);
}

/* Returns: (transfer full): the whole file; NULL where the driver gives nothing. */
static char *fetch(VulkanGpu *gpu, VkPipelineCache cache, const guint8 key[DIGEST], gsize *bytes)
{
    size_t length = 0;
    if (gpu->vk.vkGetPipelineCacheData(gpu->device, cache, &length, NULL) != VK_SUCCESS ||
        length == 0 || length > MOST_BYTES - HEAD)
        return NULL;
    g_autofree char *data = g_malloc(HEAD + length);
    if (gpu->vk.vkGetPipelineCacheData(gpu->device, cache, &length, data + HEAD) != VK_SUCCESS)
        return NULL;
    memcpy(data, key, DIGEST);
    digest(data + HEAD, length, (guint8 *)data + DIGEST);
    *bytes = HEAD + length;
    return g_steal_pointer(&data);
}

static bool is_kept(const char *file, const char *data, gsize bytes)
{
    g_autofree char *old = NULL;
    gsize old_bytes;
    return g_file_get_contents(file, &old, &old_bytes, NULL) && old_bytes == bytes &&
           memcmp(old, data, bytes) == 0;
}

static void save(VulkanGpu *gpu, VkPipelineCache cache)
{
    guint8 key[DIGEST];
    gsize bytes;
    identify(gpu, key);
    g_autofree char *file = file_name(key), *folder = g_path_get_dirname(file);
    g_autofree char *data = fetch(gpu, cache, key, &bytes);
    if (!data || is_kept(file, data, bytes) || g_mkdir_with_parents(folder, 0700) != 0)
        return;
    g_file_set_contents(file, data, (gssize)bytes, NULL); /* whole or not at all */
}

void vk_cache_close(VulkanGpu *gpu, VkPipelineCache cache)
{
    if (!cache)
        return;
    save(gpu, cache);
    gpu->vk.vkDestroyPipelineCache(gpu->device, cache, NULL);
}
