/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What training does with ranges of floats: all bound by memory, each one pass over it. */
#include <math.h>

#include "cpu-private.h"

/* Floats that one task handles. */
#define PIECE 16384
/* Sums that run side by side in registers. */
#define LANES 8
/* The most parts of a sum, which are added in order at the end. */
#define PARTS 64

typedef void (*Run)(const void *data, size_t first, size_t last);

typedef struct {
    Run run;
    const void *data;
    size_t count;
} Pieces;

static float *floats_of(PixRange range)
{
    return range.buffer->data + range.offset / sizeof(float);
}

static size_t count_of(PixRange range)
{
    return range.bytes / sizeof(float);
}

static void run_piece(void *data, int task, int worker)
{
    const Pieces *p = data;
    size_t first = (size_t)task * PIECE;
    p->run(p->data, first, MIN(first + PIECE, p->count));
}

static void run_pieces(const PixDevice *device, size_t count, Run run, const void *data)
{
    Pieces p = {run, data, count};
    cpu_parallel(cpu_device(device)->pool, (int)((count + PIECE - 1) / PIECE), run_piece, &p);
}

void cpu_copy(PixDevice *device, const PixTensor *from, const PixTensor *to)
{
    g_assert(pix_shape_equal(from->shape, to->shape));
    cpu_put(device, cpu_view(from), cpu_view(to), false);
}

/* ---- fill, approach ---- */

typedef struct {
    float *to;
    const float *from;
    float value;
} Change;

static void fill_floats(const void *data, size_t first, size_t last)
{
    const Change *f = data;
    for (size_t i = first; i < last; i++)
        f->to[i] = f->value;
}

void cpu_fill(PixDevice *device, PixRange range, float value)
{
    Change f = {floats_of(range), NULL, value};
    run_pieces(device, count_of(range), fill_floats, &f);
}

static void approach_floats(const void *data, size_t first, size_t last)
{
    const Change *a = data;
    float *to = a->to, share = a->value;
    for (size_t i = first; i < last; i++)
        to[i] += share * (a->from[i] - to[i]);
}

void cpu_approach(PixDevice *device, PixRange to, PixRange from, float share)
{
    g_assert(to.bytes == from.bytes);
    Change a = {floats_of(to), floats_of(from), share};
    run_pieces(device, count_of(to), approach_floats, &a);
}

/* ---- figures ---- */

double *cpu_figure(PixRange figures)
{
    return (double *)(void *)floats_of(figures);
}

bool cpu_read_figures(PixDevice *device, PixRange figures, double *values, GError **error)
{
    for (size_t at = 0; at < figures.bytes; at += PIX_FIGURE_BYTES)
        *values++ = cpu_figure(figures)[at / sizeof(double)];
    return true;
}

/* ---- the sum of squares ---- */

typedef struct {
    const float *x;
    size_t count;
    double sum[PARTS];
} Squares;

static void sum_part(void *data, int task, int worker)
{
    Squares *s = data;
    size_t first = s->count / PARTS * (size_t)task;
    size_t last = task == PARTS - 1 ? s->count : first + s->count / PARTS;
    double sum[LANES] = {0}, total = 0;
    for (; first + LANES <= last; first += LANES)
        for (size_t j = 0; j < LANES; j++)
            sum[j] += (double)s->x[first + j] * (double)s->x[first + j];
    for (; first < last; first++)
        total += (double)s->x[first] * (double)s->x[first];
    for (size_t j = 0; j < LANES; j++)
        total += sum[j];
    s->sum[task] = total;
}

void cpu_sum_squares(PixDevice *device, PixRange range, PixRange figure)
{
    Squares s = {floats_of(range), count_of(range), {0}};
    double total = 0;
    cpu_parallel(cpu_device(device)->pool, PARTS, sum_part, &s);
    for (int i = 0; i < PARTS; i++)
        total += s.sum[i];
    *cpu_figure(figure) = total;
}

/* ---- Adam ---- */

typedef struct {
    float *restrict weights, *restrict m, *restrict v;
    const float *restrict gradients;
    float scale;
    const PixAdamCall *call;
} Adam;

static void adam_floats(const void *data, size_t first, size_t last)
{
    const Adam *a = data;
    PixAdamCall o = *a->call;
    float *restrict w = a->weights, *restrict m = a->m, *restrict v = a->v, scale = a->scale;
    const float *restrict gradients = a->gradients;
    for (size_t i = first; i < last; i++) {
        float g = scale * gradients[i];
        m[i] = o.beta1 * m[i] + o.share1 * g;
        v[i] = o.beta2 * v[i] + o.share2 * g * g;
        w[i] -= o.rate * m[i] / (__builtin_sqrtf(v[i]) * o.root + o.epsilon);
    }
}

/* Of the gradients. Returns: false where nothing may move. */
static bool find_scale(PixDevice *device, const PixAdamCall *call, double *scale)
{
    size_t count = call->figures.bytes / PIX_FIGURE_BYTES;
    g_autofree double *figures = g_new(double, count);
    *scale = call->scale;
    cpu_read_figures(device, call->figures, figures, NULL);
    for (size_t i = 0; i < count; i++)
        if (!isfinite(figures[i]))
            return false;
    double length = call->longest > 0 ? sqrt(figures[call->squares]) * call->scale : 0;
    if (length > call->longest)
        *scale *= call->longest / length;
    return true;
}

void cpu_adam(PixDevice *device, const PixAdamCall *call)
{
    size_t bytes = call->weights.bytes;
    double scale;
    g_assert(call->gradients.bytes == bytes && call->m.bytes == bytes && call->v.bytes == bytes);
    if (!find_scale(device, call, &scale))
        return;
    Adam a = {floats_of(call->weights),   floats_of(call->m), floats_of(call->v),
              floats_of(call->gradients), (float)scale,       call};
    run_pieces(device, count_of(call->weights), adam_floats, &a);
}
