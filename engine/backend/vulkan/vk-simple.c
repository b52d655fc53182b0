/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ops on single elements, both directions. All are bound by memory, not by arithmetic. */
#include "vk-simple.h"

#include "rng.h"

/** Push: that of shaders/pointwise.comp. */
typedef struct {
    uint32_t count, c;
    VulkanPlace a, b, to;
    uint32_t activation;
    float slope;
    uint32_t adds;
} Push;

enum { WHAT = 10, N_CONSTANTS };

static const PixActivation no_activation = {PIX_ACTIVATION_NONE};

void vk_pointwise(PixDevice *device, VulkanPointwise what, PixActivation f, const PixTensor *a,
                  const PixTensor *b, const PixTensor *to, bool adds)
{
    const PixTensor none = {{0}};
    Push push = {.count = (uint32_t)pix_shape_count(to->shape),
                 .c = (uint32_t)to->shape.c,
                 .a = vk_place(a ? a : &none),
                 .b = vk_place(b ? b : &none),
                 .to = vk_place(to),
                 .activation = f.kind,
                 .slope = f.slope,
                 .adds = adds};
    VulkanDispatch dispatch = {.shader = VK_SHADER_POINTWISE,
                               .constants = {[WHAT] = what},
                               .n_constants = N_CONSTANTS,
                               .bindings = {vk_bind(a ? a : &none, false),
                                            vk_bind(b ? b : &none, false), vk_bind(to, true)},
                               .push = &push,
                               .push_bytes = sizeof push};
    vk_spread(&dispatch, push.count);
    vk_dispatch(device, &dispatch);
}

void vk_put(PixDevice *device, const PixTensor *from, const PixTensor *to, bool adds)
{
    bool same =
        from->buffer == to->buffer && from->offset == to->offset && from->c_first == to->c_first;
    if (adds || !same)
        vk_pointwise(device, VK_POINTWISE_COPY, no_activation, from, NULL, to, adds);
}

void vk_clear(PixDevice *device, const PixTensor *to)
{
    vk_pointwise(device, VK_POINTWISE_ZERO, no_activation, NULL, NULL, to, false);
}

/* ---- activation ---- */

void vk_activation_forward(PixDevice *device, const PixCall *call)
{
    vk_pointwise(device, VK_POINTWISE_ACTIVATE, call->op->activation, &call->in[0], NULL,
                 &call->out, false);
}

void vk_activation_backward(PixDevice *device, const PixCall *call)
{
    if (call->din[0].buffer)
        vk_pointwise(device, VK_POINTWISE_SLOPE, call->op->activation, &call->dout, &call->out,
                     &call->din[0], call->din_adds[0]);
}

void vk_activation_tangent_forward(PixDevice *device, const PixCall *call)
{
    vk_pointwise(device, VK_POINTWISE_SLOPE, call->op->activation, &call->in[0], &call->in[1],
                 &call->out, false);
}

/* Of tanh the gradient to y would need t, which nobody keeps; discriminators have no tanh. */
void vk_activation_tangent_backward(PixDevice *device, const PixCall *call)
{
    g_assert(call->op->activation.kind != PIX_ACTIVATION_TANH);
    if (call->din[0].buffer)
        vk_pointwise(device, VK_POINTWISE_SLOPE, call->op->activation, &call->dout, &call->in[1],
                     &call->din[0], call->din_adds[0]);
    if (call->din[1].buffer && !call->din_adds[1])
        vk_clear(device, &call->din[1]);
}

/* ---- addition ---- */

void vk_add_forward(PixDevice *device, const PixCall *call)
{
    vk_pointwise(device, VK_POINTWISE_SUM, no_activation, &call->in[0], &call->in[1], &call->out,
                 false);
}

void vk_add_backward(PixDevice *device, const PixCall *call)
{
    for (int i = 0; i < 2; i++)
        if (call->din[i].buffer)
            vk_put(device, &call->dout, &call->din[i], call->din_adds[i]);
}

/* ---- concatenation: the plan lets producers write their parts at once wherever it can ---- */

static PixTensor part_of(PixTensor whole, int c_first, int c)
{
    whole.c_first += c_first;
    whole.shape.c = c;
    return whole;
}

void vk_concat_forward(PixDevice *device, const PixCall *call)
{
    for (int i = 0; i < 2; i++) {
        PixTensor part = part_of(call->out, i ? call->in[0].shape.c : 0, call->in[i].shape.c);
        vk_put(device, &call->in[i], &part, false);
    }
}

void vk_concat_backward(PixDevice *device, const PixCall *call)
{
    for (int i = 0; i < 2; i++) {
        PixTensor part = part_of(call->dout, i ? call->in[0].shape.c : 0, call->in[i].shape.c);
        if (call->din[i].buffer)
            vk_put(device, &part, &call->din[i], call->din_adds[i]);
    }
}

/* ---- dropout ---- */

/** Drop: the push of shaders/dropout.comp. */
typedef struct {
    uint32_t n, c, pixels;
    VulkanPlace x, y;
    uint32_t layer, threshold;
    float scale;
    uint32_t adds;
} Drop;

/* Gradients go through the very masks of the forward direction, drawn again. */
static void drop(PixDevice *device, const PixCall *call, const PixTensor *from, const PixTensor *to,
                 bool adds)
{
    const PixDropoutOp *o = &call->op->dropout;
    const PixShape *s = &to->shape;
    Drop push = {(uint32_t)s->n,
                 (uint32_t)s->c,
                 (uint32_t)s->h * (uint32_t)s->w,
                 vk_place(from),
                 vk_place(to),
                 o->layer,
                 pix_rng_threshold(o->rate),
                 1 / (1 - o->rate),
                 adds};
    VulkanDispatch dispatch = {.shader = VK_SHADER_DROPOUT,
                               .n_constants = 3,
                               .bindings = {vk_bind(from, false), {0}, vk_bind(to, true)},
                               .push = &push,
                               .push_bytes = sizeof push,
                               .varying = call->frame,
                               .varying_bytes = sizeof *call->frame};
    if (o->off) {
        vk_put(device, from, to, adds);
        return;
    }
    vk_spread(&dispatch, (size_t)push.n * push.c * ((push.pixels + 3) / 4));
    vk_dispatch(device, &dispatch);
}

void vk_dropout_forward(PixDevice *device, const PixCall *call)
{
    drop(device, call, &call->in[0], &call->out, false);
}

void vk_dropout_backward(PixDevice *device, const PixCall *call)
{
    if (call->din[0].buffer)
        drop(device, call, &call->dout, &call->din[0], call->din_adds[0]);
}
