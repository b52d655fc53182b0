/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** Memory of a GPU, its own and such as both sides see. */
#ifndef PIX_VK_BUFFER_H
#define PIX_VK_BUFFER_H

#include "backend.h"
#include "vk-gpu.h"

/** PixBuffer: bytes of a GPU. */
struct PixBuffer {
    VkBuffer buffer;
    VkDeviceMemory memory;
    size_t bytes;
    size_t allocated_bytes;
    uint32_t heap; /* where they are */
    void *data;    /* where the processor sees it; NULL where it does not */
    bool own;      /* it is the GPU's own */
};

/** VulkanMemory: where it lies. */
typedef enum {
    VK_MEMORY_OWN,    /* fast for the GPU */
    VK_MEMORY_SHARED, /* mapped and coherent */
    VK_MEMORY_UPLOAD, /* the same, of the GPU's own where that can be had */
} VulkanMemory;

/**
 * vk_buffer_new:
 * Errors: NO_MEMORY, with what is wanted and what there is, before the driver is asked.
 */
PixBuffer *vk_buffer_new(VulkanGpu *gpu, size_t bytes, VulkanMemory where, GError **error);
void vk_buffer_free(VulkanGpu *gpu, PixBuffer *buffer); /* accepts NULL */

#endif
