/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What training does with ranges of floats. */
#include <string.h>

#include "vk-simple.h"

/* Floats of one dispatch: 16 MiB of each buffer, which every device can see at a time. */
#define PIECE ((size_t)1 << 22)

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
    VulkanBinding uniform;
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
                                   .uniform = each->uniform};
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

/* Scalars of a step: that of shaders/adam_scalars.comp. */
typedef struct {
    float scale, beta1, share1, beta2, share2, rate, root, epsilon, longest;
} Scalars;

#define SCALARS 9 /* floats that adam.comp reads */

/* Returns: where what adam.comp reads has been put. */
static VulkanBinding find_scalars(PixDevice *device, const PixAdamCall *call)
{
    const Scalars scalars = {(float)call->scale, call->beta1,   call->share1,
                             call->beta2,        call->share2,  call->rate,
                             call->root,         call->epsilon, (float)call->longest};
    VulkanBinding found = {vk_device(device)->scalars, 0, SCALARS * sizeof(float), true};
    uint32_t push[2] = {(uint32_t)(call->figures.bytes / PIX_FIGURE_BYTES), 0}, first = 0;
    VulkanDispatch dispatch = {.shader = VK_SHADER_ADAM_SCALARS,
                               .n_constants = 3,
                               .push = push,
                               .push_bytes = sizeof push,
                               .varying = &scalars,
                               .varying_bytes = sizeof scalars};
    if (call->figures.buffer)
        dispatch.bindings[0] = vk_bind_figures(call->figures, false, &first);
    g_assert(first == 0);
    push[1] = (uint32_t)call->squares;
    dispatch.bindings[1] = found;
    vk_spread(&dispatch, 1);
    vk_dispatch(device, &dispatch);
    found.writes = false;
    return found;
}

void vk_adam(PixDevice *device, const PixAdamCall *call)
{
    size_t bytes = call->weights.bytes;
    g_assert(call->gradients.bytes == bytes && call->m.bytes == bytes && call->v.bytes == bytes);
    vk_device_hold(device);
    run_each(device, &(Each){.shader = VK_SHADER_ADAM,
                             .ranges = {call->weights, call->gradients, call->m, call->v},
                             .writes = {true, false, true, true},
                             .uniform = find_scalars(device, call)});
    vk_device_release(device);
}

void vk_copy(PixDevice *device, const PixTensor *from, const PixTensor *to)
{
    g_assert(pix_shape_equal(from->shape, to->shape));
    vk_put(device, from, to, false);
}
