/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-buffer.h"

#include "error.h"
#include "vk-error.h"

static bool check_room(VulkanGpu *gpu, size_t bytes, GError **error)
{
    uint64_t heap = vk_gpu_memory_bytes(gpu);
    uint64_t used = g_atomic_pointer_get(&gpu->allocated_bytes);
    if (bytes <= heap && used <= heap - bytes)
        return true;
    return pix_fail(error, PIX_ERROR_NO_MEMORY,
                    "%s: %zu MiB more are wanted, %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                    " MiB are in use; use a smaller size, a smaller network or device=cpu",
                    gpu->name, bytes >> 20, used >> 20, heap >> 20);
}

static bool make_buffer(VulkanGpu *gpu, PixBuffer *buffer, GError **error)
{
    const VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .size = buffer->bytes,
        .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT |
                 VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT};
    return vk_gpu_check(gpu, gpu->vk.vkCreateBuffer(gpu->device, &info, NULL, &buffer->buffer),
                        "vkCreateBuffer", error);
}

/* Shared memory is read back as well: cached, where that is to be had. */
static int choose_type(const VulkanGpu *gpu, uint32_t types, VulkanMemory where)
{
    const VkMemoryPropertyFlags shared =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    if (where == VK_MEMORY_OWN)
        return vk_gpu_find_memory(gpu, types, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
    int cached = vk_gpu_find_memory(gpu, types, shared | VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
    return cached >= 0 ? cached : vk_gpu_find_memory(gpu, types, shared);
}

static bool make_memory(VulkanGpu *gpu, PixBuffer *buffer, VulkanMemory where, GError **error)
{
    VkMemoryRequirements needs;
    gpu->vk.vkGetBufferMemoryRequirements(gpu->device, buffer->buffer, &needs);
    int type = choose_type(gpu, needs.memoryTypeBits, where);
    if (type < 0)
        return pix_fail(error, PIX_ERROR_NO_MEMORY, "%s: no memory of the kind that is needed",
                        gpu->name);
    const VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                       .allocationSize = needs.size,
                                       .memoryTypeIndex = (uint32_t)type};
    if (!vk_gpu_check(gpu, gpu->vk.vkAllocateMemory(gpu->device, &info, NULL, &buffer->memory),
                      "vkAllocateMemory", error))
        return false;
    buffer->allocated_bytes = needs.size;
    g_atomic_pointer_add(&gpu->allocated_bytes, (gssize)needs.size);
    return vk_gpu_check(gpu,
                        gpu->vk.vkBindBufferMemory(gpu->device, buffer->buffer, buffer->memory, 0),
                        "vkBindBufferMemory", error);
}

PixBuffer *vk_buffer_new(VulkanGpu *gpu, size_t bytes, VulkanMemory where, GError **error)
{
    PixBuffer *buffer = g_new0(PixBuffer, 1);
    buffer->bytes = (MAX(bytes, 4) + 3) / 4 * 4;
    if (!check_room(gpu, buffer->bytes, error) || !make_buffer(gpu, buffer, error) ||
        !make_memory(gpu, buffer, where, error))
        goto fail;
    if (where == VK_MEMORY_SHARED &&
        !vk_gpu_check(
            gpu,
            gpu->vk.vkMapMemory(gpu->device, buffer->memory, 0, VK_WHOLE_SIZE, 0, &buffer->data),
            "vkMapMemory", error))
        goto fail;
    return buffer;
fail:
    vk_buffer_free(gpu, buffer);
    return NULL;
}

void vk_buffer_free(VulkanGpu *gpu, PixBuffer *buffer)
{
    if (!buffer)
        return;
    gpu->vk.vkDestroyBuffer(gpu->device, buffer->buffer, NULL);
    gpu->vk.vkFreeMemory(gpu->device, buffer->memory, NULL);
    g_atomic_pointer_add(&gpu->allocated_bytes, -(gssize)buffer->allocated_bytes);
    g_free(buffer);
}
