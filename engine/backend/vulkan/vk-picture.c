/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-picture.h"

#include <string.h>

#include "error.h"

/* A multiple of the steps of all components. */
#define BLOCK 840

/* ---- making ---- */

static size_t pitch_of(const PixPlane *plane)
{
    return ((size_t)plane->row_bytes + 3) / 4 * 4;
}

size_t vk_picture_bytes(const PixVideo *video)
{
    size_t bytes = 0;
    for (int i = 0; i < video->n_planes; i++)
        bytes += pitch_of(&video->planes[i]) * (size_t)video->planes[i].rows;
    return bytes;
}

/* For a block of a row: 0xff for the bytes of no component. NULL where there are none. */
static guint8 *find_kept(const PixVideo *video, int plane)
{
    bool any = false;
    guint8 *keep = g_malloc(BLOCK);
    memset(keep, 0xff, BLOCK);
    for (int i = 0; i < video->n_components; i++)
        for (int at = video->components[i].offset; at < BLOCK; at += video->components[i].step)
            if (video->components[i].plane == plane)
                keep[at] = 0;
    for (int i = 0; i < BLOCK; i++)
        any = any || keep[i];
    if (!any)
        g_clear_pointer(&keep, g_free);
    return keep;
}

static bool make_buffers(VulkanPicture *picture, bool out, bool direct, GError **error)
{
    VulkanGpu *gpu = picture->gpu;
    size_t bytes = VK_PICTURE_HEAD + picture->bytes;
    picture->host = vk_buffer_new(gpu, bytes, out ? VK_MEMORY_SHARED : VK_MEMORY_UPLOAD, error);
    if (!picture->host)
        return false;
    picture->own = direct && picture->host->own ? picture->host
                                                : vk_buffer_new(gpu, bytes, VK_MEMORY_OWN, error);
    return picture->own != NULL;
}

VulkanPicture *vk_picture_new(VulkanGpu *gpu, const PixVideo *video, bool out, bool direct,
                              GError **error)
{
    VulkanPicture *picture = g_new0(VulkanPicture, 1);
    picture->gpu = gpu;
    picture->video = video;
    picture->layout = *video;
    for (int i = 0; i < video->n_planes; i++) {
        picture->at[i] = picture->bytes;
        picture->pitch[i] = pitch_of(&video->planes[i]);
        picture->bytes += picture->pitch[i] * (size_t)video->planes[i].rows;
        picture->keep[i] = out ? find_kept(video, i) : NULL;
    }
    if (!make_buffers(picture, out, direct, error)) {
        vk_picture_free(picture);
        return NULL;
    }
    return picture;
}

void vk_picture_free(VulkanPicture *picture)
{
    if (!picture)
        return;
    if (picture->own != picture->host)
        vk_buffer_free(picture->gpu, picture->own);
    vk_buffer_free(picture->gpu, picture->host);
    for (size_t i = 0; i < G_N_ELEMENTS(picture->keep); i++)
        g_free(picture->keep[i]);
    g_free(picture);
}

size_t vk_picture_memory(const VulkanPicture *picture)
{
    size_t bytes = picture->host->allocated_bytes;
    return picture->own == picture->host ? bytes : bytes + picture->own->allocated_bytes;
}

/* ---- copying ---- */

static guint8 *staged_row(const VulkanPicture *picture, int plane, int row)
{
    return (guint8 *)picture->host->data + VK_PICTURE_HEAD + picture->at[plane] +
           (size_t)row * picture->pitch[plane];
}

void vk_picture_fetch(VulkanPicture *picture)
{
    const PixVideo *video = picture->video;
    for (int i = 0; i < video->n_planes; i++) {
        const PixPlane *plane = &video->planes[i];
        for (int row = 0; row < picture->layout.planes[i].rows; row++)
            memcpy(staged_row(picture, i, row), plane->data + row * plane->stride,
                   (size_t)picture->layout.planes[i].row_bytes);
    }
}

static void merge_row(const guint8 *from, const guint8 *keep, guint8 *to, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += BLOCK)
        for (size_t i = 0; i < MIN(BLOCK, bytes - at); i++)
            to[at + i] = (to[at + i] & keep[i]) | from[at + i];
}

static void deliver_row(const VulkanPicture *picture, int plane, int row)
{
    const PixPlane *p = &picture->video->planes[plane];
    const guint8 *from = staged_row(picture, plane, row), *keep = picture->keep[plane];
    size_t bytes = (size_t)picture->layout.planes[plane].row_bytes;
    if (keep)
        merge_row(from, keep, p->data + row * p->stride, bytes);
    else
        memcpy(p->data + row * p->stride, from, bytes);
}

bool vk_picture_deliver(VulkanPicture *picture, GError **error)
{
    uint32_t broken;
    memcpy(&broken, picture->host->data, sizeof broken);
    if (broken)
        return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                        "the network's output is not a number: its weights are out of range, "
                        "use an earlier checkpoint");
    for (int i = 0; i < picture->video->n_planes; i++)
        for (int row = 0; row < picture->layout.planes[i].rows; row++)
            deliver_row(picture, i, row);
    return true;
}
