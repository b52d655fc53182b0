/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The tangent of a norm and its gradients; cpu/cpu-tangent.c has the formulae. */
#include "vk-norm.h"
#include "vk-simple.h"

/* Sums: of t and t * xhat; of dout and dout * xhat; of dout and dout * t. */
enum { OF_T, OF_DOUT, OF_BOTH, SUMS };
/* Factors: of P(dout), which is dt; of dout and x in dx; of t in dx. */
enum { DT, DX, DX_BY_T };

void vk_norm_tangent_forward(PixDevice *device, const PixCall *call)
{
    VulkanNorm norm = vk_norm_of(device, call, 1);
    vk_norm_measure(&norm);
    vk_norm_sum(&norm, 0, &call->in[0], NULL);
    vk_norm_factors(&norm, VK_SHADER_NORM_FACTORS);
    vk_norm_blend(&norm, 0, &call->in[0], &call->out, false);
}

size_t vk_norm_tangent_scratch(const PixDevice *device, const PixCall *call)
{
    return vk_norm_bytes(call, 1);
}

static void put_dx(VulkanNorm *norm, const PixTensor *dx, bool adds)
{
    const PixCall *call = norm->call;
    if (!call->op->norm.running) {
        vk_norm_blend(norm, DX, &call->dout, dx, adds);
        vk_norm_blend(norm, DX_BY_T, &call->in[0], dx, true);
    } else if (!adds) {
        vk_clear(norm->device, dx);
    }
}

void vk_norm_tangent_backward(PixDevice *device, const PixCall *call)
{
    VulkanNorm norm = vk_norm_of(device, call, SUMS);
    const PixTensor *t = &call->in[0], *dout = &call->dout;
    vk_norm_sum(&norm, OF_T, t, NULL);
    vk_norm_sum(&norm, OF_DOUT, dout, NULL);
    vk_norm_sum(&norm, OF_BOTH, dout, t);
    vk_norm_factors(&norm, VK_SHADER_NORM_TANGENT_FACTORS);
    /* dx first: dt may be written over dout. */
    if (call->din[1].buffer)
        put_dx(&norm, &call->din[1], call->din_adds[1]);
    if (call->din[0].buffer)
        vk_norm_blend(&norm, DT, dout, &call->din[0], call->din_adds[0]);
}

size_t vk_norm_tangent_backward_scratch(const PixDevice *device, const PixCall *call)
{
    return vk_norm_bytes(call, SUMS);
}
