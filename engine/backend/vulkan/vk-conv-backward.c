/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Convolutions backwards: through the activation, then the gradients of bias, weights and input.
 * With reflected or replicated borders the input's is first that of the padded map, whose border is
 * then folded back.
 */
#include "vk-conv.h"

#include <string.h>

/* Of conv_bias.comp: channels of a group, and pixels at a time. */
#define BIAS_LANES 32
#define BIAS_ROWS 4
/* Pixels that are worth a split, and the most splits: one invocation adds them. */
#define BIAS_PIXELS 256
#define BIAS_SPLITS 64

/** Backward: what is wanted of a call; parts that are not wanted are all zero. */
typedef struct {
    VulkanConv bias, weight, input, fold;
    size_t scratch_bytes;
} Backward;

static bool wanted(const VulkanConv *conv)
{
    return conv->count > 0;
}

/* ---- activation and bias ---- */

static void activation_backward(PixDevice *device, const PixCall *call)
{
    const PixConvOp *op = &call->op->conv;
    VulkanConv conv = vk_conv_new(VK_SHADER_CONV_ACTIVATION, op);
    if (op->activation.kind == PIX_ACTIVATION_NONE)
        return;
    vk_conv_set_in(&conv, &call->out);
    vk_conv_set_out(&conv, &call->dout, 2);
    conv.push.activation = op->activation.kind;
    conv.push.slope = op->activation.slope;
    vk_spread(&conv.dispatch, conv.count);
    vk_conv_run(device, &conv);
}

/* The output's gradient as pixels in a column, of one sample; the sums are one pixel. */
static VulkanConv bias_gradient(const PixDevice *device, const PixCall *call)
{
    VulkanConv conv = vk_conv_new(VK_SHADER_CONV_BIAS, &call->op->conv);
    vk_conv_set_in(&conv, &call->dout);
    vk_conv_set_out(&conv, &call->dparam[PIX_SLOT_BIAS], 2);
    VulkanConvPush *push = &conv.push;
    push->in_h *= (uint32_t)call->dout.shape.n;
    push->adds = call->dparam_adds;
    const uint32_t constants[] = {BIAS_LANES * BIAS_ROWS, 1, 1, BIAS_LANES, BIAS_ROWS};
    memcpy(conv.dispatch.constants, constants, sizeof constants);
    size_t pixels = (size_t)push->in_h * push->in_w;
    vk_conv_split(&conv, device, CLAMP(pixels / BIAS_PIXELS, 2, BIAS_SPLITS));
    conv.dispatch.groups[0] = (push->in_c + BIAS_LANES - 1) / BIAS_LANES;
    conv.dispatch.groups[1] = push->splits;
    conv.dispatch.groups[2] = 1;
    return conv;
}

/* ---- the input ---- */

static bool folds(const PixCall *call)
{
    return call->op->conv.pad.mode != PIX_PAD_ZERO;
}

/* The padded map, dense, at @offset of the scratch. */
static PixTensor padded_map(const PixCall *call, size_t offset)
{
    const PixPadding *pad = &call->op->conv.pad;
    PixShape shape = call->din[0].shape;
    shape.h += pad->top + pad->bottom;
    shape.w += pad->left + pad->right;
    return (PixTensor){shape, call->scratch, offset, 0, shape.c};
}

static VulkanConv fold_of(const PixCall *call, const PixTensor *padded)
{
    VulkanConv conv = vk_conv_new(VK_SHADER_CONV_FOLD, &call->op->conv);
    vk_conv_set_in(&conv, padded);
    vk_conv_set_out(&conv, &call->din[0], 2);
    conv.push.adds = call->din_adds[0];
    vk_spread(&conv.dispatch, conv.count);
    return conv;
}

static void plan_input(Backward *b, const PixDevice *device, const PixCall *call)
{
    const PixPadding *pad = &call->op->conv.pad;
    if (!folds(call)) {
        b->input = vk_conv_input_gradient(device, call, &call->din[0], *pad, call->din_adds[0]);
    } else {
        const PixTensor padded = padded_map(call, b->scratch_bytes);
        b->input = vk_conv_input_gradient(device, call, &padded, (PixPadding){0}, false);
        b->fold = fold_of(call, &padded);
        b->scratch_bytes += vk_conv_align(pix_shape_count(padded.shape) * sizeof(float));
    }
    b->scratch_bytes = vk_conv_place(&b->input, call->scratch, b->scratch_bytes);
}

/* ---- all of them ---- */

static Backward plan(const PixDevice *device, const PixCall *call)
{
    Backward b = {.scratch_bytes = 0};
    if (call->dparam[PIX_SLOT_BIAS].buffer) {
        b.bias = bias_gradient(device, call);
        b.scratch_bytes = vk_conv_place(&b.bias, call->scratch, b.scratch_bytes);
    }
    if (call->dparam[PIX_SLOT_WEIGHT].buffer) {
        b.weight = vk_conv_weight_gradient(device, call);
        b.scratch_bytes = vk_conv_place(&b.weight, call->scratch, b.scratch_bytes);
    }
    if (call->din[0].buffer)
        plan_input(&b, device, call);
    return b;
}

void vk_conv_backward(PixDevice *device, const PixCall *call)
{
    const Backward b = plan(device, call);
    const VulkanConv *sums[] = {&b.bias, &b.weight, &b.input};
    g_assert(call->op->conv.norm.kind == PIX_NORM_NONE);
    activation_backward(device, call);
    for (size_t i = 0; i < G_N_ELEMENTS(sums); i++)
        if (wanted(sums[i]))
            vk_conv_run(device, sums[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(sums); i++)
        if (wanted(sums[i]))
            vk_conv_finish(device, sums[i]);
    if (wanted(&b.fold))
        vk_conv_run(device, &b.fold);
}

size_t vk_conv_backward_scratch(const PixDevice *device, const PixCall *call)
{
    return plan(device, call).scratch_bytes;
}
