/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ops that copy pixels to several places: padding and upsampling. */
#include "vk-ops.h"

/** Push: that of shaders/resize.glsl. */
typedef struct {
    uint32_t count, c;
    uint32_t h, w, oh, ow;
    VulkanPlace x, y;
    int32_t top, left, bottom, right;
    uint32_t mode;
    uint32_t factor;
    uint32_t adds;
} Push;

static Push push_of(const PixOp *op, const PixTensor *x, const PixTensor *y)
{
    Push push = {.c = (uint32_t)x->shape.c,
                 .h = (uint32_t)x->shape.h,
                 .w = (uint32_t)x->shape.w,
                 .oh = (uint32_t)y->shape.h,
                 .ow = (uint32_t)y->shape.w,
                 .x = vk_place(x),
                 .y = vk_place(y)};
    if (op->kind == PIX_OP_UPSAMPLE) {
        push.factor = (uint32_t)op->factor;
    } else {
        push.top = op->pad.top;
        push.left = op->pad.left;
        push.bottom = op->pad.bottom;
        push.right = op->pad.right;
        push.mode = op->pad.mode;
    }
    return push;
}

static void resize(PixDevice *device, VulkanShader shader, const Push *push, const PixTensor *from,
                   const PixTensor *to)
{
    VulkanDispatch dispatch = {.shader = shader,
                               .n_constants = 3,
                               .bindings = {vk_bind(from, false), {0}, vk_bind(to, true)},
                               .push = push,
                               .push_bytes = sizeof *push};
    vk_spread(&dispatch, push->count);
    vk_dispatch(device, &dispatch);
}

static void forward(PixDevice *device, const PixCall *call, VulkanShader shader)
{
    Push push = push_of(call->op, &call->in[0], &call->out);
    push.count = (uint32_t)pix_shape_count(call->out.shape);
    resize(device, shader, &push, &call->in[0], &call->out);
}

static void backward(PixDevice *device, const PixCall *call, VulkanShader shader)
{
    if (!call->din[0].buffer)
        return;
    Push push = push_of(call->op, &call->din[0], &call->dout);
    push.count = (uint32_t)pix_shape_count(call->din[0].shape);
    push.adds = call->din_adds[0];
    resize(device, shader, &push, &call->dout, &call->din[0]);
}

void vk_pad_forward(PixDevice *device, const PixCall *call)
{
    forward(device, call, VK_SHADER_PAD);
}

void vk_pad_backward(PixDevice *device, const PixCall *call)
{
    backward(device, call, VK_SHADER_PAD_BACKWARD);
}

void vk_upsample_forward(PixDevice *device, const PixCall *call)
{
    forward(device, call, VK_SHADER_UPSAMPLE);
}

void vk_upsample_backward(PixDevice *device, const PixCall *call)
{
    backward(device, call, VK_SHADER_UPSAMPLE_BACKWARD);
}
