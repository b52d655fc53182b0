/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ops on single elements, both directions. All are bound by memory, not by arithmetic. */
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

typedef struct {
    CpuView from, to;
    bool adds;
} Put;

static void put_pixels(const void *data, int first, int last)
{
    const Put *p = data;
    for (ptrdiff_t i = first; i < last; i++)
        cpu_put_pixel(p->from.data + i * p->from.pixel, p->to.data + i * p->to.pixel, p->to.c,
                      p->adds);
}

void cpu_put(const PixDevice *device, CpuView from, CpuView to, bool adds)
{
    Put p = {from, to, adds};
    if (adds || from.data != to.data)
        cpu_pixels(device, to, put_pixels, &p);
}

static void clear_pixels(const void *data, int first, int last)
{
    const CpuView *to = data;
    for (ptrdiff_t i = first; i < last; i++)
        memset(to->data + i * to->pixel, 0, (size_t)to->c * sizeof(float));
}

void cpu_clear(const PixDevice *device, CpuView to)
{
    cpu_pixels(device, to, clear_pixels, &to);
}

/* ---- activation ---- */

/* From one map, and for gradients from y too, to another. */
typedef struct {
    const PixOp *op;
    const PixFrame *frame;
    CpuView from, y, to;
    bool adds;
} Simple;

static void activate_pixels(const void *data, int first, int last)
{
    const Simple *s = data;
    if (s->from.pixel == s->from.c && s->to.pixel == s->to.c) {
        ptrdiff_t at = (ptrdiff_t)first * s->from.c;
        cpu_activate(s->op->activation, s->from.data + at, s->to.data + at,
                     (size_t)(last - first) * (size_t)s->from.c);
        return;
    }
    for (ptrdiff_t i = first; i < last; i++)
        cpu_activate(s->op->activation, s->from.data + i * s->from.pixel,
                     s->to.data + i * s->to.pixel, (size_t)s->from.c);
}

void cpu_activation_forward(PixDevice *device, const PixCall *call)
{
    Simple s = {.op = call->op, .from = cpu_view(&call->in[0]), .to = cpu_view(&call->out)};
    cpu_pixels(device, s.to, activate_pixels, &s);
}

static void scale_pixels(const void *data, int first, int last)
{
    const Simple *s = data;
    for (ptrdiff_t i = first; i < last; i++)
        cpu_activate_backward(s->op->activation, s->y.data + i * s->y.pixel,
                              s->from.data + i * s->from.pixel, s->to.data + i * s->to.pixel,
                              (size_t)s->to.c, s->adds);
}

void cpu_activation_backward(PixDevice *device, const PixCall *call)
{
    Simple s = {.op = call->op,
                .from = cpu_view(&call->dout),
                .y = cpu_view(&call->out),
                .to = cpu_view(&call->din[0]),
                .adds = call->din_adds[0]};
    if (s.to.data)
        cpu_pixels(device, s.to, scale_pixels, &s);
}

void cpu_activation_tangent_forward(PixDevice *device, const PixCall *call)
{
    Simple s = {.op = call->op,
                .from = cpu_view(&call->in[0]),
                .y = cpu_view(&call->in[1]),
                .to = cpu_view(&call->out)};
    cpu_pixels(device, s.to, scale_pixels, &s);
}

/* Of tanh the gradient to y would need t, which nobody keeps; discriminators have no tanh. */
void cpu_activation_tangent_backward(PixDevice *device, const PixCall *call)
{
    g_assert(call->op->activation.kind != PIX_ACTIVATION_TANH);
    Simple s = {.op = call->op,
                .from = cpu_view(&call->dout),
                .y = cpu_view(&call->in[1]),
                .to = cpu_view(&call->din[0]),
                .adds = call->din_adds[0]};
    if (s.to.data)
        cpu_pixels(device, s.to, scale_pixels, &s);
    if (call->din[1].buffer && !call->din_adds[1])
        cpu_clear(device, cpu_view(&call->din[1]));
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
    CpuView x = s->from, y = s->to;
    int chunks = (x.c + MASK_CHANNELS - 1) / MASK_CHANNELS;
    int n = task / chunks, first = task % chunks * MASK_CHANNELS;
    int channels = MIN(MASK_CHANNELS, x.c - first), skip[MASK_CHANNELS];
    ptrdiff_t plane = (ptrdiff_t)x.h * x.w;
    bool adds = s->adds;
    for (ptrdiff_t i = 0; i < plane; i += MASK_PIXELS) {
        int count = (int)MIN(MASK_PIXELS, plane - i);
        for (int c = 0; c < channels; c++) {
            uint64_t at = ((uint64_t)n * (uint64_t)x.c + (uint64_t)(first + c)) * (uint64_t)plane +
                          (uint64_t)i;
            skip[c] = (int)(at % 4);
            pix_rng_words(&key, at - (uint64_t)skip[c], (size_t)(count + skip[c]), words[c]);
        }
        const float *xi = x.data + (n * plane + i) * x.pixel + first;
        float *yi = y.data + (n * plane + i) * y.pixel + first;
        for (ptrdiff_t j = 0; j < count; j++, xi += x.pixel, yi += y.pixel)
            for (int c = 0; c < channels; c++)
                yi[c] =
                    (adds ? yi[c] : 0) + (words[c][j + skip[c]] < threshold ? 0 : xi[c] * scale);
    }
}

/* Gradients go through the very masks of the forward direction, drawn again. */
static void drop(PixDevice *device, const PixCall *call, CpuView from, CpuView to, bool adds)
{
    Simple s = {.op = call->op, .frame = call->frame, .from = from, .to = to, .adds = adds};
    if (call->op->dropout.off)
        cpu_put(device, from, to, adds);
    else
        cpu_parallel(cpu_device(device)->pool,
                     from.n * ((from.c + MASK_CHANNELS - 1) / MASK_CHANNELS), drop_channels, &s);
}

void cpu_dropout_forward(PixDevice *device, const PixCall *call)
{
    drop(device, call, cpu_view(&call->in[0]), cpu_view(&call->out), false);
}

void cpu_dropout_backward(PixDevice *device, const PixCall *call)
{
    if (call->din[0].buffer)
        drop(device, call, cpu_view(&call->dout), cpu_view(&call->din[0]), call->din_adds[0]);
}
