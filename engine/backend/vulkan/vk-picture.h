/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * A picture between somebody's memory and the GPU's: its planes follow each other, their rows padded
 * to whole words. In front of them is one word that tells of NaNs.
 */
#ifndef PIX_VK_PICTURE_H
#define PIX_VK_PICTURE_H

#include "vk-buffer.h"

/** VK_PICTURE_HEAD: bytes in front of the planes. */
#define VK_PICTURE_HEAD 256

/** VulkanPicture: */
typedef struct {
    VulkanGpu *gpu;
    const PixVideo *video; /* whose data and strides count when bytes are copied */
    PixVideo layout;       /* all else of it */
    size_t at[3];          /* where each plane begins, without the head */
    size_t pitch[3];
    size_t bytes;    /* of all planes */
    PixBuffer *host; /* what the processor sees */
    PixBuffer *own;  /* what shaders see: fast for them; may be the same */
    guint8 *keep[3]; /* going out: what bytes stay as they are; NULL: none */
} VulkanPicture;

/** vk_picture_bytes: Of all planes of a picture like @video. */
size_t vk_picture_bytes(const PixVideo *video);

/**
 * vk_picture_new:
 * @out: whether it comes from the GPU.  @direct: shaders may use what the processor sees.
 * Errors: NO_MEMORY.
 */
VulkanPicture *vk_picture_new(VulkanGpu *gpu, const PixVideo *video, bool out, bool direct,
                              GError **error);
void vk_picture_free(VulkanPicture *picture); /* accepts NULL */

/** vk_picture_fetch: From picture->video. */
void vk_picture_fetch(VulkanPicture *picture);
/** vk_picture_deliver: To picture->video. Errors: BAD_CHECKPOINT for NaN. */
bool vk_picture_deliver(VulkanPicture *picture, GError **error);
/** vk_picture_memory: Bytes of its buffers. */
size_t vk_picture_memory(const VulkanPicture *picture);

#endif
