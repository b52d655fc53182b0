/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sums, and the figures that they become: two floats to be added, what to divide them by, and none. */
#include "vk-ops.h"

/* Floats of one dispatch: 16 MiB, which every device can see at a time. */
#define PIECE ((size_t)1 << 22)
/* Floats that one invocation takes, at least. */
#define SHARE 128

#define PART_BYTES (2 * sizeof(float))

/* The sums' memory: figures first, then parts. */
#define ROOM_BYTES (VK_SUM_SAMPLES * PIX_FIGURE_BYTES)

PixRange vk_sum_room(PixDevice *device)
{
    return (PixRange){vk_device(device)->sums, 0, ROOM_BYTES};
}

VulkanBinding vk_bind_figures(PixRange figures, bool writes, uint32_t *first)
{
    size_t start = figures.offset / VK_ALIGNMENT * VK_ALIGNMENT;
    *first = (uint32_t)((figures.offset - start) / PIX_FIGURE_BYTES);
    return (VulkanBinding){figures.buffer, start, figures.offset + figures.bytes - start, writes};
}

size_t vk_sum(PixDevice *device, VulkanDispatch *dispatch, size_t count, size_t each, size_t parts)
{
    size_t more = (count + each * VK_GROUP - 1) / (each * VK_GROUP);
    g_assert(parts + more <= VK_SUM_PARTS);
    vk_spread(dispatch, more * VK_GROUP);
    dispatch->bindings[3] = (VulkanBinding){
        vk_device(device)->sums, ROOM_BYTES + parts * PART_BYTES, more * PART_BYTES, true};
    vk_dispatch(device, dispatch);
    return more;
}

void vk_sum_end(PixDevice *device, size_t parts, float divisor, PixRange figure)
{
    struct {
        uint32_t count, index;
        float divisor;
    } push = {(uint32_t)parts, 0, divisor};
    VulkanDispatch dispatch = {
        .shader = VK_SHADER_SUM_FIGURE,
        .n_constants = 3,
        .bindings = {{vk_device(device)->sums, ROOM_BYTES, parts * PART_BYTES, false},
                     vk_bind_figures(figure, true, &push.index)},
        .push = &push,
        .push_bytes = sizeof push};
    vk_spread(&dispatch, 1);
    vk_dispatch(device, &dispatch);
}

/* As many that there is room for the parts; those of a piece are a multiple of 32 up to 1024. */
static uint32_t share_of(size_t count)
{
    uint32_t share = SHARE;
    while (count / share / VK_GROUP >= VK_SUM_PARTS)
        share *= 2;
    return share;
}

void vk_sum_floats(PixDevice *device, PixRange range, size_t first, size_t count, PixRange figure)
{
    size_t parts = 0, in_front = range.offset / sizeof(float);
    uint32_t share = share_of(count);
    vk_device_hold(device);
    for (size_t end = first + count; first < end; first += PIECE) {
        size_t n = MIN(PIECE, end - first), at = in_front + first, start = at / 64 * 64;
        const uint32_t push[] = {(uint32_t)(at - start), (uint32_t)n, share};
        VulkanDispatch dispatch = {.shader = VK_SHADER_SUM_SQUARES,
                                   .n_constants = 3,
                                   .bindings = {{range.buffer, start * sizeof(float),
                                                 (at - start + n) * sizeof(float), false}},
                                   .push = push,
                                   .push_bytes = sizeof push};
        parts += vk_sum(device, &dispatch, n, share, parts);
    }
    vk_sum_end(device, parts, 1, figure);
    vk_device_release(device);
}

void vk_sum_squares(PixDevice *device, PixRange range, PixRange figure)
{
    vk_sum_floats(device, range, 0, range.bytes / sizeof(float), figure);
}

bool vk_read_figures(PixDevice *device, PixRange figures, double *values, GError **error)
{
    size_t n = figures.bytes / PIX_FIGURE_BYTES;
    g_autofree float *found = g_new(float, 4 * n);
    if (!vk_download(device, figures.buffer, figures.offset, found, figures.bytes, error))
        return false;
    for (const float *f = found; n > 0; n--, f += 4)
        *values++ = f[2] == 0 ? 0 : ((double)f[0] + (double)f[1]) / (double)f[2];
    return true;
}
