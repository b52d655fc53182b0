/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Memory of a GPU, its own and such as both sides see. A buffer knows whether its contents can be
 * trusted: work that could not be done spoils those that it would have written, and whoever uses such
 * a one is told why. So an error reaches those whom it concerns, and nobody else.
 */
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
    gint waiting;  /* atomic: work with it has been asked for and not been submitted */
    /* Under gpu->spoiled_lock: */
    GError *spoiled; /* why it is; NULL: it is not */
    size_t from, to; /* all that is spoiled lies in between */
};

/** VulkanMemory: where it lies. */
typedef enum {
    VK_MEMORY_OWN,    /* fast for the GPU */
    VK_MEMORY_SHARED, /* mapped and coherent */
    VK_MEMORY_UPLOAD, /* the same, of the GPU's own where that can be had; else as SHARED */
} VulkanMemory;

/**
 * vk_buffer_new:
 * Errors: NO_MEMORY, with what is wanted and what there is, before the driver is asked.
 */
PixBuffer *vk_buffer_new(VulkanGpu *gpu, size_t bytes, VulkanMemory where, GError **error);
void vk_buffer_free(VulkanGpu *gpu, PixBuffer *buffer); /* accepts NULL */

/** vk_buffer_spoil: These bytes should have been written and were not, because of @error. */
void vk_buffer_spoil(VulkanGpu *gpu, PixBuffer *buffer, size_t offset, size_t bytes,
                     const GError *error);
/** vk_buffer_mend: These bytes are written anew: where nothing else is spoiled, nothing is. */
void vk_buffer_mend(VulkanGpu *gpu, PixBuffer *buffer, size_t offset, size_t bytes);
/** vk_buffer_check: Any thread. Errors: what spoiled it. */
bool vk_buffer_check(VulkanGpu *gpu, const PixBuffer *buffer, GError **error);

#endif
