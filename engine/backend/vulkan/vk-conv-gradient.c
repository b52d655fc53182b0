/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The gradient of a convolution's weights, see shaders/conv_gradient.glsl. */
#include "vk-conv.h"

static void cut(VulkanConv *conv, const PixDevice *device)
{
    const VulkanConvPush *push = &conv->push;
    const size_t pixels = (size_t)push->n * push->out_h * push->out_w;
    const VulkanMatrices matrices = {.m = (size_t)push->kh * push->kw * push->in_c,
                                     .n = push->out_c,
                                     .depth = pixels,
                                     .phases = 1,
                                     .chunk = (uint32_t)MIN(pixels, UINT32_MAX)};
    conv->count = matrices.m * matrices.n;
    conv->is_row = true;
    if (conv->dispatch.shader == VK_SHADER_CONV_GRADIENT_SIMPLE)
        vk_spread(&conv->dispatch, conv->count);
    else
        vk_conv_cut(conv, device, &matrices);
}

VulkanConv vk_conv_weight_gradient(const PixDevice *device, const PixCall *call)
{
    bool gathers_in = call->op->kind == PIX_OP_CONV;
    bool simple = ((const VulkanDevice *)device)->simple;
    const PixTensor *gathered = gathers_in ? &call->in[0] : &call->dout;
    const PixTensor *direct = gathers_in ? &call->dout : &call->in[0];
    const PixTensor *gradient = &call->dparam[PIX_SLOT_WEIGHT];
    VulkanConv conv = vk_conv_new(
        simple ? VK_SHADER_CONV_GRADIENT_SIMPLE : VK_SHADER_CONV_GRADIENT_TILED, &call->op->conv);
    vk_conv_set_in(&conv, gathered);
    vk_conv_set_out(&conv, direct, 1);
    conv.dispatch.bindings[2] = (VulkanBinding){
        gradient->buffer, gradient->offset, pix_shape_count(gradient->shape) * sizeof(float), true};
    conv.dispatch.constants[VK_CONV_FOURS] = vk_conv_fours(gathered);
    conv.dispatch.constants[VK_CONV_FOURS + 1] = vk_conv_fours(direct);
    conv.push.weight_in = gathers_in ? conv.push.out_c : 1;
    conv.push.weight_out = gathers_in ? 1 : conv.push.in_c;
    conv.push.adds = call->dparam_adds;
    cut(&conv, device);
    return conv;
}
