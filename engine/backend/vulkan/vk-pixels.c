/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * 8-bit pixels to and from maps. Shaders read and write the memory that both sides see, as many rows
 * at a time as fit in there.
 */
#include <string.h>

#include "error.h"
#include "vk-ops.h"

/* Where the rows begin in the staging buffer; before them is the word that tells of NaNs. */
#define ROWS VK_ALIGNMENT
/* A multiple of the bytes of every pixel. */
#define BLOCK 840

/** Push: that of shaders/pixels.glsl. */
typedef struct {
    uint32_t w;
    VulkanPlace map;
    int32_t left, top;
    uint32_t width, height;
    uint32_t pixel_bytes;
    uint32_t first_row;
    uint32_t first_y;
    uint32_t count;
    uint32_t channels;
    uint32_t offset[4];
    uint32_t channel_of[8];
} Push;

static Push push_of(const PixTensor *tensor, const PixImage *image, PixRect content)
{
    Push push = {.w = (uint32_t)tensor->shape.w,
                 .map = vk_place(tensor),
                 .left = content.x,
                 .top = content.y,
                 .width = (uint32_t)image->width,
                 .height = (uint32_t)image->height,
                 .pixel_bytes = (uint32_t)image->pixel_bytes,
                 .channels = (uint32_t)image->channels};
    for (size_t i = 0; i < G_N_ELEMENTS(push.channel_of); i++)
        push.channel_of[i] = VK_NOTHING;
    for (int c = 0; c < image->channels; c++) {
        push.offset[c] = (uint32_t)image->offset[c];
        push.channel_of[image->offset[c]] = (uint32_t)c;
    }
    return push;
}

static size_t row_bytes(const PixImage *image)
{
    return (size_t)image->width * (size_t)image->pixel_bytes;
}

/* How many rows go through the staging buffer at a time. */
static int rows_at_once(const VulkanDevice *device, const PixImage *image)
{
    size_t rows = (device->staging->bytes - ROWS) / row_bytes(image);
    g_assert(rows > 0); /* no network takes a frame that wide */
    return (int)MIN(rows, (size_t)image->height);
}

static char *staged_row(const VulkanDevice *device, const PixImage *image, int row)
{
    return (char *)device->staging->data + ROWS + (size_t)row * row_bytes(image);
}

static VulkanBinding staged_rows(const VulkanDevice *device, const PixImage *image, int rows,
                                 bool writes)
{
    return (VulkanBinding){device->staging, ROWS, (size_t)rows * row_bytes(image), writes};
}

static bool run(PixDevice *device, VulkanDispatch *dispatch, const Push *push, size_t invocations,
                GError **error)
{
    dispatch->n_constants = 3;
    dispatch->push = push;
    dispatch->push_bytes = sizeof *push;
    vk_spread(dispatch, invocations);
    vk_dispatch(device, dispatch);
    return vk_flush(device, error);
}

/* ---- to a map ---- */

/* Rows @first .. @last - 1 of @image, and what is beside, above the first and below the last. */
static bool pack(PixDevice *base, const PixTensor *tensor, const PixImage *image, PixRect content,
                 int first, int last, GError **error)
{
    const VulkanDevice *device = vk_device(base);
    int y = first == 0 ? 0 : content.y + first;
    int end = last == image->height ? tensor->shape.h : content.y + last;
    Push push = push_of(tensor, image, content);
    push.first_row = (uint32_t)first;
    push.first_y = (uint32_t)y;
    push.count = (uint32_t)(end - y) * push.w;
    for (int row = first; row < last; row++)
        memcpy(staged_row(device, image, row - first), image->data + row * image->stride,
               row_bytes(image));
    VulkanDispatch dispatch = {
        .shader = VK_SHADER_PACK,
        .bindings = {staged_rows(device, image, last - first, false), vk_bind(tensor, true)}};
    return run(base, &dispatch, &push, push.count, error);
}

bool vk_write_image(PixDevice *base, const PixTensor *tensor, const PixImage *image,
                    PixRect content, GError **error)
{
    VulkanDevice *device = vk_device(base);
    bool done = true;
    g_rec_mutex_lock(&device->lock);
    g_assert(!device->recording);
    int rows = rows_at_once(device, image);
    for (int first = 0; first < image->height && done; first += rows)
        done = pack(base, tensor, image, content, first, MIN(first + rows, image->height), error);
    g_rec_mutex_unlock(&device->lock);
    return done;
}

/* ---- from a map ---- */

/* For a block of pixels: 0xff for the bytes of no channel, which stay as they are. */
static void find_kept(const Push *push, guint8 keep[BLOCK])
{
    for (size_t i = 0; i < BLOCK; i++)
        keep[i] = push->channel_of[i % push->pixel_bytes] == VK_NOTHING ? 0xff : 0;
}

static void merge_row(const char *from, const guint8 keep[BLOCK], guint8 *to, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += BLOCK)
        for (size_t i = 0; i < MIN(BLOCK, bytes - at); i++)
            to[at + i] = (to[at + i] & keep[i]) | (guint8)from[at + i];
}

static bool unpack(PixDevice *base, const PixTensor *tensor, PixImage *image, PixRect content,
                   int first, int last, GError **error)
{
    const VulkanDevice *device = vk_device(base);
    Push push = push_of(tensor, image, content);
    guint8 keep[BLOCK];
    push.first_row = (uint32_t)first;
    push.count = (uint32_t)((size_t)(last - first) * row_bytes(image));
    VulkanDispatch dispatch = {.shader = VK_SHADER_UNPACK,
                               .bindings = {vk_bind(tensor, false),
                                            staged_rows(device, image, last - first, true),
                                            {device->staging, 0, sizeof(uint32_t), true}}};
    if (!run(base, &dispatch, &push, (push.count + 3) / 4, error))
        return false;
    find_kept(&push, keep);
    for (int row = first; row < last; row++)
        merge_row(staged_row(device, image, row - first), keep, image->data + row * image->stride,
                  row_bytes(image));
    return true;
}

bool vk_read_image(PixDevice *base, const PixTensor *tensor, PixImage *image, PixRect content,
                   GError **error)
{
    VulkanDevice *device = vk_device(base);
    uint32_t *broken = device->staging->data;
    bool done = true;
    g_rec_mutex_lock(&device->lock);
    g_assert(!device->recording);
    *broken = 0;
    int rows = rows_at_once(device, image);
    for (int first = 0; first < image->height && done; first += rows)
        done = unpack(base, tensor, image, content, first, MIN(first + rows, image->height), error);
    bool nan = done && *broken;
    g_rec_mutex_unlock(&device->lock);
    if (nan)
        return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                        "the network's output is not a number: its weights are out of range, "
                        "use an earlier checkpoint");
    return done;
}
