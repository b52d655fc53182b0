/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Losses: small maps once in a step, so plain arithmetic in double. */
#include <math.h>

#include "cpu-private.h"

/* Parts of the sum, which are added in order at the end. */
#define PARTS 64

typedef struct {
    const PixLossCall *call;
    CpuView x, target, dx; /* the latter two: data is NULL where there are none */
    double each;           /* weight / number of elements */
    double sum[PARTS];
} Loss;

/* Of one element. A NaN stays one in all of them. */
static double value_of(PixLossKind kind, double x, double target, double *gradient)
{
    double d = x - target, margin = 1 - target * x;
    switch (kind) {
    case PIX_LOSS_L1:
        *gradient = (d > 0) - (d < 0);
        return fabs(d);
    case PIX_LOSS_SQUARED:
        *gradient = 2 * d;
        return d * d;
    case PIX_LOSS_BCE: /* log(1 + exp(x)) - x * target, without overflow */
        *gradient = 1 / (1 + exp(-x)) - target;
        return (x < 0 ? 0 : x) - x * target + log1p(exp(-fabs(x)));
    case PIX_LOSS_HINGE:
        *gradient = margin > 0 ? -target : 0;
        return margin < 0 ? 0 : margin;
    case PIX_LOSS_LINEAR:
        *gradient = target;
        return target * x;
    }
    g_assert_not_reached();
}

static double sum_pixel(const Loss *loss, ptrdiff_t i)
{
    const float *x = loss->x.data + i * loss->x.pixel;
    const float *target = loss->target.data ? loss->target.data + i * loss->target.pixel : NULL;
    float *dx = loss->dx.data ? loss->dx.data + i * loss->dx.pixel : NULL;
    double sum = 0, gradient;
    for (int c = 0; c < loss->x.c; c++) {
        sum += value_of(loss->call->kind, (double)x[c],
                        (double)(target ? target[c] : loss->call->label), &gradient);
        if (dx)
            dx[c] = (loss->call->dx_adds ? dx[c] : 0) + (float)(gradient * loss->each);
    }
    return sum;
}

static void sum_part(void *data, int task, int worker)
{
    Loss *loss = data;
    gint64 pixels = (gint64)loss->x.n * loss->x.h * loss->x.w;
    ptrdiff_t last = (ptrdiff_t)(pixels * (task + 1) / PARTS);
    for (ptrdiff_t i = (ptrdiff_t)(pixels * task / PARTS); i < last; i++)
        loss->sum[task] += sum_pixel(loss, i);
}

void cpu_loss(PixDevice *device, const PixLossCall *call)
{
    double count = (double)pix_shape_count(call->x.shape), total = 0;
    Loss loss = {.call = call,
                 .x = cpu_view(&call->x),
                 .target = cpu_view(&call->target),
                 .dx = cpu_view(&call->dx),
                 .each = (double)call->weight / count};
    cpu_parallel(cpu_device(device)->pool, PARTS, sum_part, &loss);
    for (int i = 0; i < PARTS; i++)
        total += loss.sum[i];
    *cpu_figure(call->value) = total / count;
}
