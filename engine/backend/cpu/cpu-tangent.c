/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The tangent of a norm: out = P(t), see cpu-norm.h, and its gradients. With u = xhat, r = rstd, N
 * pixels in a group, q = gamma * dout, T = t - mean(t) - u * mean(u t):
 *
 *   dt     = P(dout)
 *   dgamma = r * sum(dout * T)
 *   du     = -r * (q * mean(u t) + t * mean(u q))
 *   dx     = r * (du - mean(du) - u * mean(u du)) - r^2 * u * sum(q T) / N
 *
 * Here mean(u du) = -2 r * mean(u t) * mean(u q), and all else in dx is linear in q, t and u.
 */
#include "cpu-norm.h"

enum { OF_T, OF_DOUT, OF_BOTH }; /* sums of t and t x; of dout and dout x; of dout and dout t */

void cpu_norm_tangent_forward(PixDevice *device, const PixCall *call)
{
    CpuNorm norm = cpu_norm_of(device, call);
    CpuView t = cpu_view(&call->in[0]), x = cpu_view(&call->in[1]);
    cpu_norm_measure(&norm, x);
    cpu_norm_sum(&norm, t, x, norm.sums[OF_T], NULL, NULL);
    CpuBlend blend = {t, x, cpu_view(&call->out)};
    cpu_norm_project(&norm, &blend, norm.sums[OF_T]);
}

/* sum(dout * T) of a channel of a group. */
static double sum_out(const CpuNorm *norm, int i)
{
    double pixels = norm->pixels, all = norm->sums[OF_BOTH][i].vx;
    if (norm->call->op->norm.running)
        return all;
    return all - norm->sums[OF_DOUT][i].v * norm->sums[OF_T][i].v / pixels -
           cpu_norm_hat(norm, norm->sums[OF_DOUT], i) * cpu_norm_hat(norm, norm->sums[OF_T], i) /
               pixels;
}

static double of_gamma(const CpuNorm *norm, int i)
{
    return (double)norm->rstd[i] * sum_out(norm, i);
}

static void put_dx(const CpuNorm *norm, const CpuBlend *blend)
{
    double pixels = norm->pixels;
    for (int i = 0; i < norm->groups * norm->c; i++) {
        double gamma = (double)cpu_norm_gamma(norm, i % norm->c), r = (double)norm->rstd[i];
        double ut = cpu_norm_hat(norm, norm->sums[OF_T], i) / pixels;
        double uq = gamma * cpu_norm_hat(norm, norm->sums[OF_DOUT], i) / pixels;
        double t = norm->sums[OF_T][i].v / pixels;
        double q = gamma * norm->sums[OF_DOUT][i].v / pixels;
        double by_u = r * r * (2 * ut * uq - gamma * sum_out(norm, i) / pixels);
        norm->factor[0][i] = (float)(-r * r * ut * gamma);
        norm->factor[1][i] = (float)(by_u * r);
        norm->factor[2][i] = (float)(r * r * (q * ut + t * uq));
        norm->factor[3][i] = (float)(-r * r * uq);
    }
    cpu_norm_blend(norm, blend);
}

void cpu_norm_tangent_backward(PixDevice *device, const PixCall *call)
{
    CpuNorm norm = cpu_norm_of(device, call);
    CpuView dout = cpu_view(&call->dout), t = cpu_view(&call->in[0]), x = cpu_view(&call->in[1]);
    cpu_norm_recall(&norm);
    cpu_norm_sum(&norm, t, x, norm.sums[OF_T], NULL, NULL);
    cpu_norm_sum(&norm, dout, x, norm.sums[OF_DOUT], NULL, NULL);
    cpu_norm_sum(&norm, dout, t, norm.sums[OF_BOTH], NULL, NULL);
    cpu_norm_put_param(&norm, PIX_SLOT_GAMMA, of_gamma);
    /* dx first: dt may be written over dout. */
    if (call->din[1].buffer && call->op->norm.running) {
        if (!call->din_adds[1])
            cpu_clear(device, cpu_view(&call->din[1]));
    } else if (call->din[1].buffer) {
        CpuBlend blend = {dout, x, cpu_view(&call->din[1]), &t, call->din_adds[1]};
        put_dx(&norm, &blend);
    }
    if (call->din[0].buffer) {
        CpuBlend blend = {dout, x, cpu_view(&call->din[0]), .adds = call->din_adds[0]};
        cpu_norm_project(&norm, &blend, norm.sums[OF_DOUT]);
    }
}
