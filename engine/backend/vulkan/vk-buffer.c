/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-buffer.h"

#include "error.h"
#include "vk-error.h"

#define MIB ((size_t)1 << 20)

/* ---- making ---- */

static bool fail_room(VulkanGpu *gpu, uint32_t heap, size_t bytes, GError **error)
{
    size_t used = (size_t)g_atomic_pointer_get(&gpu->allocated[heap]);
    return pix_fail(error, PIX_ERROR_NO_MEMORY,
                    "%s: %zu MiB more are wanted, %zu of %" G_GUINT64_FORMAT
                    " MiB are in use, and at most %" G_GUINT64_FORMAT
                    " MiB can be had at once; use a smaller size, a smaller network or device=cpu",
                    gpu->name, (bytes + MIB - 1) / MIB, used / MIB,
                    gpu->memory.memoryHeaps[heap].size / MIB, gpu->largest_bytes / MIB);
}

/* Some drivers promise what they do not have: they are not asked for more. */
static bool check_room(VulkanGpu *gpu, uint32_t heap, size_t bytes, GError **error)
{
    uint64_t size = gpu->memory.memoryHeaps[heap].size;
    size_t used = (size_t)g_atomic_pointer_get(&gpu->allocated[heap]);
    if (bytes > gpu->largest_bytes || bytes > size || used > size - bytes)
        return fail_room(gpu, heap, bytes, error);
    if ((guint)g_atomic_int_get(&gpu->n_allocations) <
        gpu->properties.limits.maxMemoryAllocationCount)
        return true;
    return pix_fail(error, PIX_ERROR_NO_MEMORY,
                    "%s: it takes no more than %u pieces of memory; use fewer networks at a time",
                    gpu->name, gpu->properties.limits.maxMemoryAllocationCount);
}

/* Before there is a buffer to say which heap it needs. */
static bool check_size(VulkanGpu *gpu, size_t bytes, GError **error)
{
    uint32_t largest = 0;
    for (uint32_t i = 1; i < gpu->memory.memoryHeapCount; i++)
        if (gpu->memory.memoryHeaps[i].size > gpu->memory.memoryHeaps[largest].size)
            largest = i;
    return bytes <= gpu->memory.memoryHeaps[largest].size || fail_room(gpu, largest, bytes, error);
}

static bool make_buffer(VulkanGpu *gpu, PixBuffer *buffer, GError **error)
{
    const VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .size = buffer->bytes,
        .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT |
                 VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT};
    return VK_MAKE(gpu, vkCreateBuffer, &info, &buffer->buffer, error);
}

/* Of the GPU's own memory, where the processor sees all of it and not just a narrow window. */
static int find_window(const VulkanGpu *gpu, uint32_t types, VkMemoryPropertyFlags shared)
{
    int type = vk_gpu_find_memory(gpu, types, shared | VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
    if (type < 0)
        return -1;
    uint32_t heap = gpu->memory.memoryTypes[type].heapIndex;
    return gpu->memory.memoryHeaps[heap].size >= vk_gpu_memory_bytes(gpu) / 2 ? type : -1;
}

/* Shared memory is read back as well: cached, where that is to be had. */
static int choose_type(const VulkanGpu *gpu, uint32_t types, VulkanMemory where)
{
    const VkMemoryPropertyFlags shared =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    if (where == VK_MEMORY_OWN)
        return vk_gpu_find_memory(gpu, types, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
    int window = where == VK_MEMORY_UPLOAD ? find_window(gpu, types, shared) : -1;
    if (window >= 0)
        return window;
    int cached = vk_gpu_find_memory(gpu, types, shared | VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
    return cached >= 0 ? cached : vk_gpu_find_memory(gpu, types, shared);
}

static bool allocate(VulkanGpu *gpu, PixBuffer *buffer, const VkMemoryAllocateInfo *info,
                     GError **error)
{
    uint32_t heap = gpu->memory.memoryTypes[info->memoryTypeIndex].heapIndex;
    if (!check_room(gpu, heap, info->allocationSize, error))
        return false;
    VkResult result = gpu->vk.vkAllocateMemory(gpu->device, info, NULL, &buffer->memory);
    if (result != VK_SUCCESS)
        buffer->memory = VK_NULL_HANDLE;
    if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY)
        return fail_room(gpu, heap, info->allocationSize, error);
    if (!vk_gpu_check(gpu, result, "vkAllocateMemory", error))
        return false;
    buffer->heap = heap;
    buffer->own = gpu->memory.memoryHeaps[heap].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT;
    buffer->allocated_bytes = info->allocationSize;
    g_atomic_pointer_add(&gpu->allocated[heap], (gssize)info->allocationSize);
    g_atomic_int_inc(&gpu->n_allocations);
    return true;
}

static bool allocate_in(VulkanGpu *gpu, PixBuffer *buffer, const VkMemoryRequirements *needs,
                        VulkanMemory where, GError **error)
{
    int type = choose_type(gpu, needs->memoryTypeBits, where);
    if (type < 0)
        return pix_fail(error, PIX_ERROR_NO_MEMORY, "%s: no memory of the kind that is needed",
                        gpu->name);
    const VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                       .allocationSize = needs->size,
                                       .memoryTypeIndex = (uint32_t)type};
    return allocate(gpu, buffer, &info, error);
}

/* Of the GPU's own memory that the processor sees, there may be less than it says. */
static bool make_memory(VulkanGpu *gpu, PixBuffer *buffer, VulkanMemory where, GError **error)
{
    VkMemoryRequirements needs;
    gpu->vk.vkGetBufferMemoryRequirements(gpu->device, buffer->buffer, &needs);
    if (where == VK_MEMORY_UPLOAD && !allocate_in(gpu, buffer, &needs, where, NULL))
        where = VK_MEMORY_SHARED;
    return (buffer->memory || allocate_in(gpu, buffer, &needs, where, error)) &&
           vk_gpu_check(gpu,
                        gpu->vk.vkBindBufferMemory(gpu->device, buffer->buffer, buffer->memory, 0),
                        "vkBindBufferMemory", error);
}

PixBuffer *vk_buffer_new(VulkanGpu *gpu, size_t bytes, VulkanMemory where, GError **error)
{
    PixBuffer *buffer = g_new0(PixBuffer, 1);
    buffer->bytes = (MAX(bytes, 4) + 3) / 4 * 4;
    if (!check_size(gpu, buffer->bytes, error) || !make_buffer(gpu, buffer, error) ||
        !make_memory(gpu, buffer, where, error))
        goto fail;
    if (where != VK_MEMORY_OWN &&
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
    if (!vk_gpu_is_abandoned(gpu)) {
        gpu->vk.vkDestroyBuffer(gpu->device, buffer->buffer, NULL);
        gpu->vk.vkFreeMemory(gpu->device, buffer->memory, NULL);
    }
    if (buffer->memory) {
        g_atomic_pointer_add(&gpu->allocated[buffer->heap], -(gssize)buffer->allocated_bytes);
        g_atomic_int_add(&gpu->n_allocations, -1);
    }
    g_clear_error(&buffer->spoiled);
    g_free(buffer);
}

/* ---- what is the matter with it ---- */

void vk_buffer_spoil(VulkanGpu *gpu, PixBuffer *buffer, size_t offset, size_t bytes,
                     const GError *error)
{
    g_mutex_lock(&gpu->spoiled_lock);
    buffer->from = buffer->spoiled ? MIN(buffer->from, offset) : offset;
    buffer->to = buffer->spoiled ? MAX(buffer->to, offset + bytes) : offset + bytes;
    if (!buffer->spoiled)
        buffer->spoiled = g_error_copy(error);
    g_mutex_unlock(&gpu->spoiled_lock);
}

void vk_buffer_mend(VulkanGpu *gpu, PixBuffer *buffer, size_t offset, size_t bytes)
{
    g_mutex_lock(&gpu->spoiled_lock);
    if (offset <= buffer->from && buffer->to <= offset + bytes)
        g_clear_error(&buffer->spoiled);
    g_mutex_unlock(&gpu->spoiled_lock);
}

bool vk_buffer_check(VulkanGpu *gpu, const PixBuffer *buffer, GError **error)
{
    g_mutex_lock(&gpu->spoiled_lock);
    bool good = !buffer->spoiled;
    if (!good && error)
        *error = g_error_copy(buffer->spoiled);
    g_mutex_unlock(&gpu->spoiled_lock);
    return good;
}
