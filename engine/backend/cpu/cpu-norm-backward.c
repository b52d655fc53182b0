/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The linear map of cpu-norm.h, and the gradients of norms, which are made of it. */
#include "cpu-norm.h"

double cpu_norm_hat(const CpuNorm *norm, const CpuSum *sums, int i)
{
    return (double)norm->rstd[i] * (sums[i].vx - (double)norm->mean[i] * sums[i].v);
}

typedef struct {
    const CpuNorm *norm;
    const CpuBlend *blend;
} Blend;

static void blend_pixels(const void *data, int first, int last)
{
    const CpuNorm *norm = ((const Blend *)data)->norm;
    const CpuBlend *b = ((const Blend *)data)->blend;
    for (ptrdiff_t i = first; i < last; i++) {
        ptrdiff_t group = i / norm->pixels * norm->c;
        const float *mean = norm->mean + group, *by_v = norm->factor[0] + group;
        const float *by_x = norm->factor[1] + group, *more = norm->factor[2] + group;
        const float *v = b->v.data + i * b->v.pixel, *x = b->x.data + i * b->x.pixel;
        float *out = b->out.data + i * b->out.pixel;
        if (b->t) {
            const float *t = b->t->data + i * b->t->pixel, *by_t = norm->factor[3] + group;
            for (int c = 0; c < norm->c; c++)
                out[c] = (b->adds ? out[c] : 0) + v[c] * by_v[c] + (x[c] - mean[c]) * by_x[c] +
                         more[c] + t[c] * by_t[c];
        } else {
            for (int c = 0; c < norm->c; c++)
                out[c] =
                    (b->adds ? out[c] : 0) + v[c] * by_v[c] + (x[c] - mean[c]) * by_x[c] + more[c];
        }
    }
}

void cpu_norm_blend(const CpuNorm *norm, const CpuBlend *blend)
{
    Blend b = {norm, blend};
    cpu_pixels(norm->device, blend->out, blend_pixels, &b);
}

void cpu_norm_project(const CpuNorm *norm, const CpuBlend *blend, const CpuSum *sums)
{
    bool running = norm->call->op->norm.running;
    for (int i = 0; i < norm->groups * norm->c; i++) {
        double scale = (double)(cpu_norm_gamma(norm, i % norm->c) * norm->rstd[i]);
        double mean = sums[i].v / norm->pixels, hat = cpu_norm_hat(norm, sums, i) / norm->pixels;
        norm->factor[0][i] = (float)scale;
        norm->factor[1][i] = running ? 0 : (float)(-scale * hat * (double)norm->rstd[i]);
        norm->factor[2][i] = running ? 0 : (float)(-scale * mean);
    }
    cpu_norm_blend(norm, blend);
}

typedef struct {
    PixActivation f;
    CpuView y, dy;
} Unactivate;

static void unactivate_pixels(const void *data, int first, int last)
{
    const Unactivate *u = data;
    for (ptrdiff_t i = first; i < last; i++) {
        float *dy = u->dy.data + i * u->dy.pixel;
        cpu_activate_backward(u->f, u->y.data + i * u->y.pixel, dy, dy, (size_t)u->dy.c, false);
    }
}

/* Sums of dy and dy * x; dout becomes dy, the gradient before the activation. */
static void sum_gradient(const CpuNorm *norm, CpuView dy, CpuView x)
{
    Unactivate u = {norm->call->op->norm.activation, cpu_view(&norm->call->out), dy};
    CpuPixels prepare = u.f.kind == PIX_ACTIVATION_NONE ? NULL : unactivate_pixels;
    cpu_norm_sum(norm, dy, x, norm->sums[0], prepare, &u);
}

void cpu_norm_put_param(const CpuNorm *norm, PixSlot slot, double (*of)(const CpuNorm *, int))
{
    float *gradient = cpu_view(&norm->call->dparam[slot]).data;
    for (int c = 0; gradient && c < norm->c; c++) {
        double total = 0;
        for (int i = c; i < norm->groups * norm->c; i += norm->c)
            total += of(norm, i);
        gradient[c] = (norm->call->dparam_adds ? gradient[c] : 0) + (float)total;
    }
}

static double of_gamma(const CpuNorm *norm, int i)
{
    return cpu_norm_hat(norm, norm->sums[0], i);
}

static double of_beta(const CpuNorm *norm, int i)
{
    return norm->sums[0][i].v;
}

void cpu_norm_backward(PixDevice *device, const PixCall *call)
{
    CpuNorm norm = cpu_norm_of(device, call);
    CpuView dy = cpu_view(&call->dout), x = cpu_view(&call->in[0]);
    cpu_norm_recall(&norm);
    sum_gradient(&norm, dy, x);
    cpu_norm_put_param(&norm, PIX_SLOT_GAMMA, of_gamma);
    cpu_norm_put_param(&norm, PIX_SLOT_BETA, of_beta);
    if (call->din[0].buffer) {
        CpuBlend blend = {dy, x, cpu_view(&call->din[0]), .adds = call->din_adds[0]};
        cpu_norm_project(&norm, &blend, norm.sums[0]);
    }
}
