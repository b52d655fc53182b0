/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Batch and instance norm: statistics first, then y = f(x * scale + shift). */
#include "cpu-norm.h"

/*
 * PyTorch's running statistics: the variance is the unbiased one. Of a single value there is none,
 * and PyTorch refuses; here the biased one, 0, counts.
 */
static void follow(const CpuNorm *norm, int channel, double mean, double variance)
{
    float *running_mean = cpu_view(&norm->call->param[PIX_SLOT_MEAN]).data;
    float *running_variance = cpu_view(&norm->call->param[PIX_SLOT_VARIANCE]).data;
    double share = (double)norm->call->op->norm.momentum, count = norm->pixels;
    if (!(share > 0) || !running_mean || !running_variance)
        return;
    if (norm->pixels > 1)
        variance *= count / (count - 1);
    double m = (double)running_mean[channel], v = (double)running_variance[channel];
    running_mean[channel] = (float)(m + share * (mean - m));
    running_variance[channel] = (float)(v + share * (variance - v));
}

void cpu_norm_recall(const CpuNorm *norm)
{
    if (!norm->call->op->norm.running)
        return;
    const float *mean = cpu_vector(&norm->call->param[PIX_SLOT_MEAN]);
    const float *variance = cpu_vector(&norm->call->param[PIX_SLOT_VARIANCE]);
    double eps = (double)norm->call->op->norm.eps;
    for (int c = 0; c < norm->c; c++) {
        norm->mean[c] = mean[c];
        norm->rstd[c] = (float)(1 / __builtin_sqrt((double)variance[c] + eps));
    }
}

/* From norm->sums[0]. */
static void find_statistics(const CpuNorm *norm)
{
    const PixNormOp *o = &norm->call->op->norm;
    for (int i = 0; i < norm->groups * norm->c; i++) {
        double mean = norm->sums[0][i].v / norm->pixels;
        double variance = norm->sums[0][i].vx / norm->pixels - mean * mean;
        variance = variance < 0 ? 0 : variance; /* NaN stays */
        norm->mean[i] = (float)mean;
        norm->rstd[i] = (float)(1 / __builtin_sqrt(variance + (double)o->eps));
        if (o->kind == PIX_NORM_BATCH)
            follow(norm, i, mean, variance);
    }
}

void cpu_norm_measure(const CpuNorm *norm, CpuView x)
{
    if (norm->call->op->norm.running) {
        cpu_norm_recall(norm);
        return;
    }
    cpu_norm_sum(norm, x, x, norm->sums[0], NULL, NULL);
    find_statistics(norm);
}

/* The same from what has been summed in parts. */
static void measure_parts(const CpuNorm *norm, const double *parts, int n_parts)
{
    CpuSum *sums = norm->sums[0];
    memset(sums, 0, (size_t)norm->c * sizeof *sums);
    for (int i = 0; i < n_parts; i++, parts += 2 * norm->c)
        for (int c = 0; c < norm->c; c++) {
            sums[c].v += parts[c];
            sums[c].vx += parts[norm->c + c];
        }
    find_statistics(norm);
}

typedef struct {
    const CpuNorm *norm;
    CpuView x, y;
    const float *scale, *shift;
} Apply;

static void apply_pixels(const void *data, int first, int last)
{
    const Apply *a = data;
    const CpuMicro *micro = cpu_device(a->norm->device)->micro;
    CpuFinish finish = {.activation = a->norm->call->op->norm.activation};
    for (int i = first; i < last; i++) {
        ptrdiff_t group = i / a->norm->pixels;
        finish.scale = a->scale + group * a->x.c;
        finish.shift = a->shift + group * a->x.c;
        micro->finish(&finish, a->x.data + i * a->x.pixel, a->y.data + i * a->y.pixel, a->x.c);
    }
}

void cpu_norm_apply(PixDevice *device, const PixCall *call, const double *parts, int n_parts)
{
    CpuNorm norm = cpu_norm_of(device, call);
    CpuView x = cpu_view(&call->in[0]);
    const float *beta = cpu_vector(&call->param[PIX_SLOT_BETA]);
    float *scale = norm.factor[0], *shift = norm.factor[1];
    if (n_parts > 0)
        measure_parts(&norm, parts, n_parts);
    else
        cpu_norm_measure(&norm, x);
    for (int i = 0; i < norm.groups * norm.c; i++) {
        scale[i] = cpu_norm_gamma(&norm, i % norm.c) * norm.rstd[i];
        shift[i] = (beta ? beta[i % norm.c] : 0) - norm.mean[i] * scale[i];
    }
    Apply apply = {&norm, x, cpu_view(&call->out), scale, shift};
    cpu_pixels(device, apply.y, apply_pixels, &apply);
}

void cpu_norm_forward(PixDevice *device, const PixCall *call)
{
    cpu_norm_apply(device, call, NULL, 0);
}
