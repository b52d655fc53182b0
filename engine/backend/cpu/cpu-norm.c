/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Batch and instance norm. Statistics first: a task owns a few channels of one group of pixels
 * (a sample, or all of them), so that no sum is shared between tasks and the order of additions
 * never changes. Then y = f(x * scale + shift).
 */
#include "cpu-private.h"

/* Channels of a task: one cache line. */
#define LANES 16
/* Pixels summed in float before the sum goes into a double. */
#define RUN 64

typedef struct {
    const PixCall *call;
    CpuView x, y;
    int groups, pixels;   /* pixels of a group */
    int chunks;           /* of LANES channels */
    float *scale, *shift; /* (groups, c) */
} Norm;

typedef struct {
    double sum[LANES];
} Sums;

/* Sums of (x - centre), or of its square, over the pixels of a group. */
static Sums sum_up(const float *x, ptrdiff_t pixel, int pixels, int lanes, const float *centre,
                   bool squared)
{
    Sums total = {{0}};
    for (int first = 0; first < pixels; first += RUN) {
        float part[LANES] = {0};
        for (int i = first; i < MIN(first + RUN, pixels); i++)
            for (int c = 0; c < lanes; c++) {
                float d = x[i * pixel + c] - centre[c];
                part[c] += squared ? d * d : d;
            }
        for (int c = 0; c < lanes; c++)
            total.sum[c] += part[c];
    }
    return total;
}

static void measure(void *data, int task, int worker)
{
    const Norm *norm = data;
    const PixNormOp *o = &norm->call->op->norm;
    int group = task / norm->chunks, first = task % norm->chunks * LANES;
    int lanes = MIN(LANES, norm->x.c - first);
    const float *x = norm->x.data + (ptrdiff_t)group * norm->pixels * norm->x.pixel + first;
    const float *gamma = cpu_vector(&norm->call->param[PIX_SLOT_GAMMA]);
    const float *beta = cpu_vector(&norm->call->param[PIX_SLOT_BETA]);
    float *scale = norm->scale + (ptrdiff_t)group * norm->x.c + first;
    float *shift = norm->shift + (ptrdiff_t)group * norm->x.c + first;
    float centre[LANES] = {0}, mean[LANES];
    for (int c = 0; c < lanes; c++)
        centre[c] = x[c];
    Sums sums = sum_up(x, norm->x.pixel, norm->pixels, lanes, centre, false);
    for (int c = 0; c < lanes; c++)
        mean[c] = (float)(centre[c] + sums.sum[c] / norm->pixels);
    Sums squares = sum_up(x, norm->x.pixel, norm->pixels, lanes, mean, true);
    for (int c = 0; c < lanes; c++) {
        double variance = squares.sum[c] / norm->pixels;
        scale[c] = (gamma ? gamma[first + c] : 1) / (float)__builtin_sqrt(variance + o->eps);
        shift[c] = (beta ? beta[first + c] : 0) - mean[c] * scale[c];
    }
}

static void use_running(const Norm *norm)
{
    const PixTensor *param = norm->call->param;
    const float *gamma = cpu_vector(&param[PIX_SLOT_GAMMA]);
    const float *beta = cpu_vector(&param[PIX_SLOT_BETA]);
    const float *mean = cpu_vector(&param[PIX_SLOT_MEAN]);
    const float *variance = cpu_vector(&param[PIX_SLOT_VARIANCE]);
    for (int c = 0; c < norm->x.c; c++) {
        norm->scale[c] =
            (gamma ? gamma[c] : 1) / __builtin_sqrtf(variance[c] + norm->call->op->norm.eps);
        norm->shift[c] = (beta ? beta[c] : 0) - mean[c] * norm->scale[c];
    }
}

static void apply_pixels(const void *data, int first, int last)
{
    const Norm *norm = data;
    PixActivation f = norm->call->op->norm.activation;
    for (int i = first; i < last; i++) {
        const float *x = norm->x.data + i * norm->x.pixel;
        float *y = norm->y.data + i * norm->y.pixel;
        ptrdiff_t group = i / norm->pixels;
        const float *scale = norm->scale + group * norm->x.c;
        const float *shift = norm->shift + group * norm->x.c;
        if (f.kind == PIX_ACTIVATION_RELU || f.kind == PIX_ACTIVATION_LEAKY_RELU) {
            float slope = f.kind == PIX_ACTIVATION_RELU ? 0 : f.slope;
            for (int c = 0; c < norm->x.c; c++) {
                float v = x[c] * scale[c] + shift[c];
                y[c] = v < 0 ? v * slope : v;
            }
        } else {
            for (int c = 0; c < norm->x.c; c++)
                y[c] = x[c] * scale[c] + shift[c];
            cpu_activate(f, y, y, (size_t)norm->x.c);
        }
    }
}

size_t cpu_norm_scratch(const PixDevice *device, const PixCall *call)
{
    size_t groups = call->op->norm.kind == PIX_NORM_INSTANCE ? (size_t)call->in[0].shape.n : 1;
    return 2 * groups * (size_t)call->in[0].shape.c * sizeof(float);
}

void cpu_norm_forward(PixDevice *device, const PixCall *call)
{
    Norm norm = {.call = call, .x = cpu_view(&call->in[0]), .y = cpu_view(&call->out)};
    norm.groups = call->op->norm.kind == PIX_NORM_INSTANCE ? norm.x.n : 1;
    norm.pixels = norm.x.n * norm.x.h * norm.x.w / norm.groups;
    norm.chunks = (norm.x.c + LANES - 1) / LANES;
    norm.scale = call->scratch->data;
    norm.shift = norm.scale + (ptrdiff_t)norm.groups * norm.x.c;
    if (call->op->norm.running)
        use_running(&norm);
    else
        cpu_parallel(cpu_device(device)->pool, norm.groups * norm.chunks, measure, &norm);
    cpu_pixels(device, norm.y, apply_pixels, &norm);
}
