/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What training does with ranges of floats, and sums. */
#include <math.h>
#include <string.h>

#include "vk-simple.h"

/* Floats of one dispatch: 16 MiB of each buffer, which every device can see at a time. */
#define PIECE ((size_t)1 << 22)
/* Floats that one invocation of a sum takes. */
#define SHARE 128

static VulkanBinding piece_of(PixRange range, size_t first, size_t count, bool writes)
{
    return (VulkanBinding){range.buffer, range.offset + first * sizeof(float),
                           count * sizeof(float), writes};
}

static size_t count_of(PixRange range)
{
    return range.bytes / sizeof(float);
}

/** Each: a shader with one invocation for each float of ranges of one length. */
typedef struct {
    VulkanShader shader;
    PixRange ranges[VK_BINDINGS];
    bool writes[VK_BINDINGS];
    float scalar;
    const void *varying;
    size_t varying_bytes;
} Each;

static void run_each(PixDevice *device, const Each *each)
{
    size_t count = count_of(each->ranges[0]);
    for (size_t first = 0; first < count; first += PIECE) {
        const struct {
            uint32_t count;
            float scalar;
        } push = {(uint32_t)MIN(PIECE, count - first), each->scalar};
        VulkanDispatch dispatch = {.shader = each->shader,
                                   .n_constants = 3,
                                   .push = &push,
                                   .push_bytes = sizeof push,
                                   .varying = each->varying,
                                   .varying_bytes = each->varying_bytes};
        vk_spread(&dispatch, push.count);
        for (int i = 0; i < VK_BINDINGS && each->ranges[i].buffer; i++)
            dispatch.bindings[i] = piece_of(each->ranges[i], first, push.count, each->writes[i]);
        vk_dispatch(device, &dispatch);
    }
}

void vk_fill(PixDevice *device, PixRange range, float value)
{
    uint32_t word;
    memcpy(&word, &value, sizeof word);
    vk_fill_bytes(device, range.buffer, range.offset, range.bytes, word);
}

void vk_approach(PixDevice *device, PixRange to, PixRange from, float share)
{
    g_assert(to.bytes == from.bytes);
    run_each(device, &(Each){.shader = VK_SHADER_APPROACH,
                             .ranges = {to, from},
                             .writes = {true, false},
                             .scalar = share});
}

void vk_adam(PixDevice *device, const PixAdamCall *call)
{
    size_t bytes = call->weights.bytes;
    g_assert(call->gradients.bytes == bytes && call->m.bytes == bytes && call->v.bytes == bytes);
    run_each(device, &(Each){.shader = VK_SHADER_ADAM,
                             .ranges = {call->weights, call->gradients, call->m, call->v},
                             .writes = {true, false, true, true},
                             .varying = &call->scale,
                             .varying_bytes = sizeof *call - offsetof(PixAdamCall, scale)});
}

void vk_copy(PixDevice *device, const PixTensor *from, const PixTensor *to)
{
    g_assert(pix_shape_equal(from->shape, to->shape));
    vk_put(device, from, to, false);
}

/* ---- sums ---- */

size_t vk_sum(PixDevice *device, VulkanDispatch *dispatch, size_t count, size_t each,
              size_t first_part)
{
    size_t parts = (count + each * VK_GROUP - 1) / (each * VK_GROUP);
    vk_spread(dispatch, parts * VK_GROUP);
    dispatch->bindings[3] = (VulkanBinding){vk_device(device)->staging, first_part * VK_PART_BYTES,
                                            parts * VK_PART_BYTES, true};
    vk_dispatch(device, dispatch);
    return parts;
}

double vk_add_parts(PixDevice *device, size_t parts)
{
    const float *part = vk_device(device)->staging->data;
    double sum = 0;
    if (!vk_flush(device, NULL))
        return NAN;
    for (size_t i = 0; i < parts; i++, part += 2)
        sum += (double)part[0] + (double)part[1];
    return sum;
}

double vk_sum_squares(PixDevice *device, PixRange range)
{
    size_t count = count_of(range), parts = 0;
    g_rec_mutex_lock(&vk_device(device)->lock);
    for (size_t first = 0; first < count; first += PIECE) {
        size_t n = MIN(PIECE, count - first);
        const uint32_t push[] = {(uint32_t)n, SHARE};
        VulkanDispatch dispatch = {.shader = VK_SHADER_SUM_SQUARES,
                                   .n_constants = 3,
                                   .bindings = {piece_of(range, first, n, false)},
                                   .push = push,
                                   .push_bytes = sizeof push};
        parts += vk_sum(device, &dispatch, n, SHARE, parts);
    }
    double sum = vk_add_parts(device, parts);
    g_rec_mutex_unlock(&vk_device(device)->lock);
    return sum;
}
