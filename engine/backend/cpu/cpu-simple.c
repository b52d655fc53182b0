/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ops that do a little with every element. All are bound by memory, not by arithmetic. */
#include <string.h>

#include "cpu-private.h"
#include "rng.h"

/* Floats that one task handles: enough to be worth a task, few enough to share out evenly. */
#define PIECE_FLOATS 16384

typedef struct {
    CpuPixels run;
    const void *data;
    int pixels, piece;
} Pieces;

static void run_piece(void *data, int task, int worker)
{
    const Pieces *p = data;
    int first = task * p->piece;
    p->run(p->data, first, MIN(first + p->piece, p->pixels));
}

void cpu_pixels(const PixDevice *device, CpuView view, CpuPixels run, const void *data)
{
    Pieces p = {run, data, view.n * view.h * view.w, MAX(PIECE_FLOATS / view.c, 1)};
    cpu_parallel(cpu_device(device)->pool, (p.pixels + p.piece - 1) / p.piece, run_piece, &p);
}

/* ---- activation ---- */

static float power_of_two(int n)
{
    union {
        int bits;
        float value;
    } u = {.bits = (n + 127) << 23};
    return u.value;
}

/*
 * tanh(a) = t / (t + 2) with t = exp(2a) - 1 for a = |x|, so that small values keep their relative
 * precision: 2a = n ln 2 + r with |r| <= ln 2 / 2, and exp(r) - 1 by its Taylor series.
 */
static float tanh_of(float x)
{
    float a = __builtin_fabsf(x);
    a = 2 * (a < 10 ? a : 10);
    int n = (int)(a * 1.44269504f + 0.5f);
    float r = a - (float)n * 0.693359375f + (float)n * 2.12194440e-4f;
    float p =
        r * (1 + r * (1 / 2.f +
                      r * (1 / 6.f +
                           r * (1 / 24.f + r * (1 / 120.f + r * (1 / 720.f + r * (1 / 5040.f)))))));
    float scale = power_of_two(n), t = scale * p + (scale - 1);
    float y = __builtin_copysignf(t / (t + 2), x);
    return x == x ? y : x;
}

void cpu_activate(PixActivation f, const float *x, float *y, size_t count)
{
    switch (f.kind) {
    case PIX_ACTIVATION_NONE:
        if (x != y)
            memcpy(y, x, count * sizeof *y);
        break;
    case PIX_ACTIVATION_RELU:
        for (size_t i = 0; i < count; i++)
            y[i] = x[i] < 0 ? 0 : x[i];
        break;
    case PIX_ACTIVATION_LEAKY_RELU:
        for (size_t i = 0; i < count; i++)
            y[i] = x[i] < 0 ? x[i] * f.slope : x[i];
        break;
    case PIX_ACTIVATION_TANH:
        for (size_t i = 0; i < count; i++)
            y[i] = tanh_of(x[i]);
        break;
    }
}

typedef struct {
    const PixOp *op;
    const PixFrame *frame;
    CpuView x, x1, y;
} Simple;

static Simple simple_of(const PixCall *call)
{
    Simple s = {.op = call->op, .frame = call->frame, .y = cpu_view(&call->out)};
    s.x = cpu_view(&call->in[0]);
    if (call->in[1].buffer)
        s.x1 = cpu_view(&call->in[1]);
    return s;
}

static void activate_pixels(const void *data, int first, int last)
{
    const Simple *s = data;
    if (s->x.pixel == s->x.c && s->y.pixel == s->y.c) {
        ptrdiff_t at = (ptrdiff_t)first * s->x.c;
        cpu_activate(s->op->activation, s->x.data + at, s->y.data + at,
                     (size_t)(last - first) * (size_t)s->x.c);
        return;
    }
    for (ptrdiff_t i = first; i < last; i++)
        cpu_activate(s->op->activation, s->x.data + i * s->x.pixel, s->y.data + i * s->y.pixel,
                     (size_t)s->x.c);
}

void cpu_activation_forward(PixDevice *device, const PixCall *call)
{
    Simple s = simple_of(call);
    cpu_pixels(device, s.y, activate_pixels, &s);
}

/* ---- dropout ---- */

/* Pixels and channels that a task draws at a time; pixels are a multiple of 4. */
#define MASK_PIXELS 64
#define MASK_CHANNELS 16

/*
 * Masks count elements in NCHW order, where four neighbours in a row of one channel share a draw;
 * memory is channels-last. So a task draws a few channels of a run of pixels, then applies them.
 */
static void drop_channels(void *data, int task, int worker)
{
    const Simple *s = data;
    const PixDropoutOp *o = &s->op->dropout;
    PixMaskKey key = {s->frame->seed, s->frame->number, o->layer};
    uint32_t words[MASK_CHANNELS][MASK_PIXELS + 8], threshold = pix_rng_threshold(o->rate);
    float scale = 1 / (1 - o->rate);
    int chunks = (s->x.c + MASK_CHANNELS - 1) / MASK_CHANNELS;
    int n = task / chunks, first = task % chunks * MASK_CHANNELS;
    int channels = MIN(MASK_CHANNELS, s->x.c - first), skip[MASK_CHANNELS];
    ptrdiff_t plane = (ptrdiff_t)s->x.h * s->x.w;
    const float *x = s->x.data + n * plane * s->x.pixel + first;
    float *y = s->y.data + n * plane * s->y.pixel + first;
    for (ptrdiff_t i = 0; i < plane; i += MASK_PIXELS) {
        int count = (int)MIN(MASK_PIXELS, plane - i);
        for (int c = 0; c < channels; c++) {
            uint64_t at =
                ((uint64_t)n * (uint64_t)s->x.c + (uint64_t)(first + c)) * (uint64_t)plane +
                (uint64_t)i;
            skip[c] = (int)(at % 4);
            pix_rng_words(&key, at - (uint64_t)skip[c], (size_t)(count + skip[c]), words[c]);
        }
        for (ptrdiff_t j = 0; j < count; j++)
            for (int c = 0; c < channels; c++)
                y[(i + j) * s->y.pixel + c] =
                    words[c][j + skip[c]] < threshold ? 0 : x[(i + j) * s->x.pixel + c] * scale;
    }
}

static void copy_pixels(const void *data, int first, int last)
{
    const Simple *s = data;
    for (ptrdiff_t i = first; i < last; i++)
        memmove(s->y.data + i * s->y.pixel, s->x.data + i * s->x.pixel,
                (size_t)s->x.c * sizeof(float));
}

void cpu_dropout_forward(PixDevice *device, const PixCall *call)
{
    Simple s = simple_of(call);
    if (call->op->dropout.off)
        cpu_pixels(device, s.y, copy_pixels, &s);
    else
        cpu_parallel(cpu_device(device)->pool,
                     s.x.n * ((s.x.c + MASK_CHANNELS - 1) / MASK_CHANNELS), drop_channels, &s);
}

/* ---- padding, concatenation, addition, upsampling ---- */

static void pad_pixels(const void *data, int first, int last)
{
    const Simple *s = data;
    const PixPadding *pad = &s->op->pad;
    for (ptrdiff_t i = first; i < last; i++) {
        int ox = (int)(i % s->y.w), oy = (int)(i / s->y.w % s->y.h);
        ptrdiff_t n = i / s->y.w / s->y.h;
        int iy = cpu_padded_index(oy - pad->top, s->x.h, pad->mode);
        int ix = cpu_padded_index(ox - pad->left, s->x.w, pad->mode);
        float *y = s->y.data + i * s->y.pixel;
        if (iy < 0 || ix < 0)
            memset(y, 0, (size_t)s->x.c * sizeof *y);
        else
            memcpy(y, s->x.data + ((n * s->x.h + iy) * s->x.w + ix) * s->x.pixel,
                   (size_t)s->x.c * sizeof *y);
    }
}

void cpu_pad_forward(PixDevice *device, const PixCall *call)
{
    Simple s = simple_of(call);
    cpu_pixels(device, s.y, pad_pixels, &s);
}

void cpu_concat_forward(PixDevice *device, const PixCall *call)
{
    PixTensor part = call->out;
    for (int i = 0; i < 2; i++) {
        Simple s = {.x = cpu_view(&call->in[i])};
        part.shape.c = call->in[i].shape.c;
        s.y = cpu_view(&part);
        /* The plan lets producers write here at once wherever it can. */
        if (s.x.data != s.y.data)
            cpu_pixels(device, s.y, copy_pixels, &s);
        part.c_first += part.shape.c;
    }
}

static void add_pixels(const void *data, int first, int last)
{
    const Simple *s = data;
    for (ptrdiff_t i = first; i < last; i++) {
        const float *x0 = s->x.data + i * s->x.pixel, *x1 = s->x1.data + i * s->x1.pixel;
        float *y = s->y.data + i * s->y.pixel;
        for (int c = 0; c < s->y.c; c++)
            y[c] = x0[c] + x1[c];
    }
}

void cpu_add_forward(PixDevice *device, const PixCall *call)
{
    Simple s = simple_of(call);
    cpu_pixels(device, s.y, add_pixels, &s);
}

static void upsample_pixels(const void *data, int first, int last)
{
    const Simple *s = data;
    int factor = s->op->factor;
    for (ptrdiff_t i = first; i < last; i++) {
        ptrdiff_t ix = i % s->y.w / factor, iy = i / s->y.w % s->y.h / factor;
        ptrdiff_t n = i / s->y.w / s->y.h;
        memcpy(s->y.data + i * s->y.pixel,
               s->x.data + ((n * s->x.h + iy) * s->x.w + ix) * s->x.pixel,
               (size_t)s->x.c * sizeof(float));
    }
}

void cpu_upsample_forward(PixDevice *device, const PixCall *call)
{
    Simple s = simple_of(call);
    cpu_pixels(device, s.y, upsample_pixels, &s);
}
