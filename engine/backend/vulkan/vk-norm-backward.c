/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The linear map of cpu/cpu-norm.h, and the gradients of norms, which are made of it. */
#include "vk-norm.h"
#include "vk-simple.h"

void vk_norm_sum(VulkanNorm *norm, uint32_t set, const PixTensor *v, const PixTensor *t)
{
    VulkanNormPush push = norm->push;
    const PixTensor *x = t ? t : norm->x;
    VulkanDispatch dispatch = {.shader = VK_SHADER_NORM_SUM,
                               .bindings = {vk_bind(v, false), vk_bind(x, false),
                                            t ? (VulkanBinding){0} : norm->stats,
                                            vk_norm_writes(norm->parts)}};
    norm->push.v = vk_place(v);
    norm->push.x = vk_place(x);
    norm->push.set = set;
    norm->push.mean = t ? VK_NOTHING : push.mean;
    vk_norm_rows(norm, dispatch, push.pieces, push.groups);
    norm->push = push;
}

void vk_norm_factors(VulkanNorm *norm, VulkanShader shader)
{
    const PixCall *call = norm->call;
    VulkanVectors gradients = vk_vectors(call->dparam, true);
    VulkanBinding all = vk_norm_writes(norm->parts);
    all.bytes = norm->factors.offset + norm->factors.bytes;
    VulkanDispatch dispatch = {.shader = shader,
                               .bindings = {all, vk_norm_may_write(gradients.binding, all),
                                            norm->stats, norm->vectors.binding}};
    norm->push.dgamma = gradients.at[PIX_SLOT_GAMMA];
    norm->push.dbeta = gradients.at[PIX_SLOT_BETA];
    norm->push.adds = call->dparam_adds;
    vk_norm_rows(norm, dispatch, 1, 1); /* parameters sum over groups */
}

void vk_norm_blend(VulkanNorm *norm, uint32_t set, const PixTensor *v, const PixTensor *to,
                   bool adds)
{
    VulkanDispatch dispatch = {
        .shader = VK_SHADER_NORM_BLEND,
        .bindings = {vk_bind(v, false), vk_bind(norm->x, false), norm->factors, vk_bind(to, true)}};
    norm->push.v = vk_place(v);
    norm->push.x = vk_place(norm->x);
    norm->push.to = vk_place(to);
    norm->push.set = set;
    norm->push.adds = adds;
    vk_norm_each(norm, dispatch);
}

/* dout becomes the gradient before the activation. */
static void unactivate(PixDevice *device, const PixCall *call)
{
    PixActivation f = call->op->norm.activation;
    if (f.kind != PIX_ACTIVATION_NONE)
        vk_pointwise(device, VK_POINTWISE_SLOPE, f, &call->dout, &call->out, &call->dout, false);
}

void vk_norm_backward(PixDevice *device, const PixCall *call)
{
    VulkanNorm norm = vk_norm_of(device, call, 1);
    unactivate(device, call);
    vk_norm_sum(&norm, 0, &call->dout, NULL);
    vk_norm_factors(&norm, VK_SHADER_NORM_FACTORS);
    if (call->din[0].buffer)
        vk_norm_blend(&norm, 0, &call->dout, &call->din[0], call->din_adds[0]);
}

size_t vk_norm_backward_scratch(const PixDevice *device, const PixCall *call)
{
    return vk_norm_bytes(call, 1);
}
