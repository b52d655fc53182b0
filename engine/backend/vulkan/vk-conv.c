/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Convolutions forward, and from the gradient of the output to that of the input: one sum. */
#include "vk-conv.h"

#include "vk-norm.h"

static void set_vectors(VulkanConv *conv, const PixConvOp *op, const PixTensor *param)
{
    VulkanConvPush *push = &conv->push;
    const VulkanVectors vectors = vk_vectors(param, false);
    const uint32_t *at = vectors.at;
    conv->dispatch.bindings[3] = vectors.binding;
    push->bias = at[PIX_SLOT_BIAS];
    push->activation = op->activation.kind;
    push->slope = op->activation.slope;
    if (!op->norm.running)
        return;
    push->gamma = at[PIX_SLOT_GAMMA];
    push->beta = at[PIX_SLOT_BETA];
    push->mean = at[PIX_SLOT_MEAN];
    push->variance = at[PIX_SLOT_VARIANCE];
    push->eps = op->norm.eps;
}

/* @along_out: whether the weights lie along the channels of the sum's output. */
static void set_weight(VulkanConv *conv, const PixTensor *weight, bool along_out)
{
    VulkanConvPush *push = &conv->push;
    push->weight_in = along_out ? push->out_c : 1;
    push->weight_out = along_out ? 1 : push->in_c;
    conv->dispatch.constants[VK_CONV_ALONG_OUT] = along_out;
    conv->dispatch.constants[VK_CONV_FOURS + 1] = (along_out ? push->out_c : push->in_c) % 4 == 0;
    conv->dispatch.bindings[1] = vk_bind(weight, false);
}

static size_t ceil_div(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

/* Forward, @conv is done by matrices where those suit. */
static void prefer_matrices(VulkanConv *conv, const PixDevice *base, const VulkanMatrices *matrices)
{
    const VulkanDevice *device = (const VulkanDevice *)base;
    bool forward = conv->dispatch.constants[VK_CONV_ALONG_OUT];
    if (!forward || conv->dispatch.shader != VK_SHADER_CONV_TILED)
        return;
    if (device->matrix)
        conv->dispatch.shader = VK_SHADER_CONV_MATRIX;
    else if (device->tensor && conv->dispatch.bindings[0].halves && vk_conv_suits_matrix(matrices))
        conv->dispatch.shader = VK_SHADER_CONV_TENSOR;
}

static void cut(VulkanConv *conv, const PixDevice *device, bool spread)
{
    const VulkanConvPush *push = &conv->push;
    size_t sh = spread ? push->sh : 1, sw = spread ? push->sw : 1;
    const VulkanMatrices matrices = {.m = push->n * ceil_div(push->out_h, sh) *
                                          ceil_div(push->out_w, sw),
                                     .n = push->out_c,
                                     .depth = (size_t)push->kh * push->kw * push->in_c,
                                     .phases = (uint32_t)(sh * sw),
                                     .chunk = push->in_c};
    conv->push.gathers |= spread ? VK_CONV_SPREAD : 0;
    prefer_matrices(conv, device, &matrices);
    switch (conv->dispatch.shader) {
    case VK_SHADER_CONV_SIMPLE:
        vk_spread(&conv->dispatch, conv->count);
        break;
    case VK_SHADER_CONV_MATRIX:
    case VK_SHADER_CONV_TENSOR:
        vk_conv_cut_matrix(conv, device, &matrices);
        break;
    case VK_SHADER_CONV_NARROW:
        vk_conv_cut_narrow(conv, device, &matrices);
        break;
    default:
        vk_conv_cut(conv, device, &matrices);
    }
}

static VulkanShader choose_shader(const PixDevice *device, int oc)
{
    if (((const VulkanDevice *)device)->simple)
        return VK_SHADER_CONV_SIMPLE;
    return oc <= 4 ? VK_SHADER_CONV_NARROW : VK_SHADER_CONV_TILED;
}

static VulkanConv product(VulkanShader shader, const PixConvOp *op, const PixTensor *in,
                          const PixTensor *out)
{
    VulkanConv conv = vk_conv_new(shader, op);
    vk_conv_set_in(&conv, in);
    vk_conv_set_out(&conv, out, 2);
    conv.dispatch.constants[VK_CONV_FOURS] = vk_conv_fours(in);
    return conv;
}

VulkanConv vk_conv_plain(const PixConvOp *op, const PixTensor *in, const PixTensor *weight,
                         const PixTensor *out)
{
    VulkanConv conv = product(VK_SHADER_CONV_TILED, op, in, out);
    set_weight(&conv, weight, true);
    return conv;
}

/* ---- forward ---- */

/* Where the sums lie that a norm comes behind, which takes no notice of a bias. */
static PixTensor sums_of(const PixCall *call)
{
    PixShape shape = call->out.shape;
    return (PixTensor){shape, call->scratch, vk_norm_sums_offset(call), 0, shape.c, PIX_DTYPE_F32};
}

static VulkanConv forward(const PixDevice *device, const PixCall *call)
{
    const PixConvOp *op = &call->op->conv;
    const bool measures = pix_conv_measures(op);
    const PixTensor sums = sums_of(call);
    VulkanConv conv =
        product(choose_shader(device, op->oc), op, &call->in[0], measures ? &sums : &call->out);
    conv.push.bare = measures;
    if (!measures)
        set_vectors(&conv, op, call->param);
    set_weight(&conv, &call->param[PIX_SLOT_WEIGHT], true);
    conv.push.gathers |= op->rectifies ? VK_CONV_RECTIFIES : 0;
    cut(&conv, device, call->op->kind == PIX_OP_DECONV);
    return conv;
}

void vk_conv_forward(PixDevice *device, const PixCall *call)
{
    VulkanConv conv = forward(device, call);
    vk_conv_place(&conv, call->scratch, vk_norm_sums_offset(call));
    vk_conv_run(device, &conv);
    if (pix_conv_measures(&call->op->conv))
        vk_norm_sums(device, call, conv.push.splits);
    else
        vk_conv_finish(device, &conv);
}

size_t vk_conv_scratch(const PixDevice *device, const PixCall *call)
{
    VulkanConv conv = forward(device, call);
    size_t offset = vk_norm_sums_offset(call);
    size_t bytes = vk_conv_place(&conv, NULL, offset);
    if (!pix_conv_measures(&call->op->conv))
        return bytes;
    return MAX(bytes, offset + vk_conv_align(conv.count * sizeof(float)));
}

const char *vk_conv_algorithm(const PixDevice *device, const PixCall *call)
{
    VulkanConv conv = forward(device, call);
    return vk_conv_variant(&conv);
}

/* ---- the input's gradient ---- */

VulkanConv vk_conv_input_gradient(const PixDevice *device, const PixCall *call,
                                  const PixTensor *din, PixPadding pad, bool adds)
{
    PixConvOp op = call->op->conv;
    op.pad = pad;
    VulkanConv conv = product(choose_shader(device, din->shape.c), &op, &call->dout, din);
    set_weight(&conv, &call->param[PIX_SLOT_WEIGHT], false);
    conv.push.adds = adds;
    cut(&conv, device, call->op->kind == PIX_OP_CONV);
    return conv;
}
