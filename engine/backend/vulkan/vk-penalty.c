/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the gradient penalty does with maps. */
#include "vk-ops.h"

void vk_mix(PixDevice *device, const PixTensor *to, const PixTensor *from, const PixMaskKey *key)
{
    PixShape shape = to->shape;
    const struct {
        uint32_t count, c, pixels;
        VulkanPlace x, y;
        uint32_t stream;
    } push = {(uint32_t)pix_shape_count(shape),
              (uint32_t)shape.c,
              (uint32_t)shape.h * (uint32_t)shape.w,
              vk_place(from),
              vk_place(to),
              key->layer};
    const uint64_t drawn[] = {key->seed, key->frame};
    VulkanDispatch dispatch = {.shader = VK_SHADER_MIX,
                               .n_constants = 3,
                               .bindings = {vk_bind(from, false), vk_bind(to, true)},
                               .push = &push,
                               .push_bytes = sizeof push,
                               .varying = drawn,
                               .varying_bytes = sizeof drawn};
    vk_spread(&dispatch, push.count);
    vk_dispatch(device, &dispatch);
}

/* Of as many samples of @all as there is room for figures. @adds: to the mean of those before. */
static void penalise(PixDevice *device, const PixTensor *g, uint32_t all, bool adds, double weight,
                     PixRange value)
{
    PixShape shape = g->shape;
    size_t each = pix_shape_count(shape) / (size_t)shape.n;
    PixRange room = vk_sum_room(device), squares = {room.buffer, room.offset, PIX_FIGURE_BYTES};
    struct {
        uint32_t n, each, all, index, adds;
        float weight;
    } push = {(uint32_t)shape.n, (uint32_t)each, all, 0, adds, (float)weight};
    for (size_t n = 0; n < push.n; n++, squares.offset += PIX_FIGURE_BYTES)
        vk_sum_floats(device, (PixRange){g->buffer, g->offset, 0}, n * each, each, squares);
    VulkanDispatch dispatch = {.shader = VK_SHADER_PENALTY,
                               .n_constants = 3,
                               .bindings = {{room.buffer, room.offset, room.bytes, false},
                                            vk_bind(g, true),
                                            vk_bind_figures(value, true, &push.index)},
                               .push = &push,
                               .push_bytes = sizeof push};
    vk_spread(&dispatch, (size_t)shape.n * each);
    vk_dispatch(device, &dispatch);
}

void vk_penalty(PixDevice *device, const PixTensor *g, double weight, PixRange value)
{
    PixTensor part = *g;
    int all = g->shape.n, most = (int)VK_SUM_SAMPLES;
    g_assert(g->c_whole == g->shape.c);
    vk_device_hold(device);
    for (int n = 0; n < all; n += most) {
        part.shape.n = MIN(most, all - n);
        penalise(device, &part, (uint32_t)all, n > 0, weight, value);
        part.offset += vk_bind(&part, false).bytes;
    }
    vk_device_release(device);
}
