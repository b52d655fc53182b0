/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Convolutions with very few output channels, which would leave most of a panel empty. Here a
 * panel's columns are the output channels of all taps: every input pixel is multiplied once by the
 * whole kernel, and what comes out is added to the output pixels that meet it.
 *
 * A task is a band of output rows. It walks the input rows that the band meets, so that an output
 * is always summed in the order of these rows; rows at the border of two bands are multiplied twice.
 */
#include "cpu-conv.h"

/* Above this the columns of all taps cost more than the empty half of a panel. */
#define FEW_CHANNELS 8
#define MIN_INPUTS 16
#define TASKS_PER_THREAD 4
#define MIN_ROWS 8

typedef struct {
    CpuConv of;
    const CpuMicro *micro;
    int taps, columns; /* of all taps, whole panels */
    int band, bands;   /* output rows in a task; tasks of a sample */
    float *weights;    /* (panel, input channel, column of panel) */
    float *scratch;    /* of worker 0 */
    size_t worker_floats;
} Narrow;

typedef struct {
    const Narrow *conv;
    int n, first, last;      /* sample, output rows */
    float *a, *products, *y; /* a row's pixels; their products; the band */
    int *meets;              /* input column for (kernel column, output column); -1: none */
} Band;

bool cpu_conv_is_narrow(const CpuConv *of)
{
    const PixConvOp *o = &of->op.conv;
    int inputs = of->op.kind == PIX_OP_CONV ? o->sh * o->sw : 1; /* for each output pixel */
    return o->oc * inputs <= FEW_CHANNELS && of->x.c >= MIN_INPUTS && o->kh * o->kw > 1;
}

static Narrow narrow_of(const PixDevice *device, const CpuConv *of)
{
    const PixConvOp *o = &of->op.conv;
    Narrow conv = {.of = *of, .micro = cpu_device(device)->micro, .taps = o->kh * o->kw};
    int threads = cpu_pool_threads(cpu_device(device)->pool);
    conv.columns = (int)cpu_rounded((size_t)(conv.taps * o->oc));
    conv.band = MAX(of->y.h / (threads * TASKS_PER_THREAD), MIN_ROWS);
    conv.bands = (of->y.h + conv.band - 1) / conv.band;
    conv.worker_floats = CPU_MC * CPU_PITCH + (size_t)of->x.w * (size_t)conv.columns +
                         cpu_rounded((size_t)(conv.band * of->y.w * o->oc)) +
                         cpu_rounded((size_t)(o->kw * of->y.w));
    return conv;
}

size_t cpu_conv_run_narrow_floats(const PixDevice *device, const CpuConv *of)
{
    Narrow conv = narrow_of(device, of);
    return (size_t)of->x.c * (size_t)conv.columns +
           conv.worker_floats * (size_t)cpu_pool_threads(cpu_device(device)->pool);
}

/* ---- weights ---- */

static float *weight_at(const Narrow *conv, int c, int column)
{
    int panel = column / CPU_NR, width = cpu_panel_width(conv->columns, panel);
    return conv->weights + (ptrdiff_t)panel * CPU_NR * conv->of.x.c + (ptrdiff_t)c * width +
           column % CPU_NR;
}

/* Moves the weights of one kernel position to their columns. */
static void place_tap(void *data, int tap, int worker)
{
    const Narrow *conv = data;
    const PixOp *op = &conv->of.op;
    int channels = conv->of.x.c, oc = op->conv.oc, width = cpu_panel_width(oc, 0);
    int packed = cpu_tap(op, tap / op->conv.kw, tap % op->conv.kw);
    float buffer[CPU_KC * CPU_NR];
    for (int c = 0; c < channels; c++) {
        int k = packed * channels + c, run = c % CPU_KC;
        if (conv->of.transposes && run == 0)
            cpu_weights_adjoint(conv->micro, op, channels, conv->of.weights, 0, k,
                                MIN(CPU_KC, channels - c), buffer);
        const float *row = /* of the one panel: all rows lie one after the other */
            conv->of.transposes ? buffer + run * width : conv->of.weights + (ptrdiff_t)k * width;
        for (int j = 0; j < oc; j++)
            *weight_at(conv, c, tap * oc + j) = row[j];
        for (int j = conv->taps * oc; j < conv->columns && tap == 0; j++)
            *weight_at(conv, c, j) = 0;
    }
}

/* ---- one band ---- */

/* The input row or column that output @o meets with kernel position @k; -1: padding, or none. */
static int meet(PixOpKind kind, int o, int k, int stride, int before, int side, PixPadMode mode)
{
    if (kind == PIX_OP_CONV)
        return cpu_padded_index(o * stride - before + k, side, mode);
    int i = o + before - k;
    return i >= 0 && i % stride == 0 && i / stride < side ? i / stride : -1;
}

static int meet_row(const Narrow *conv, int oy, int ky)
{
    const PixConvOp *o = &conv->of.op.conv;
    return meet(conv->of.op.kind, oy, ky, o->sh, o->pad.top, conv->of.x.h, o->pad.mode);
}

static void find_columns(Band *b)
{
    const Narrow *conv = b->conv;
    const PixConvOp *o = &conv->of.op.conv;
    for (int kx = 0; kx < o->kw; kx++)
        for (int ox = 0; ox < conv->of.y.w; ox++)
            b->meets[kx * conv->of.y.w + ox] =
                meet(conv->of.op.kind, ox, kx, o->sw, o->pad.left, conv->of.x.w, o->pad.mode);
}

/* All products of one row of the input. */
static void multiply_row(Band *b, int iy)
{
    const Narrow *conv = b->conv;
    const CpuView *x = &conv->of.x;
    const float *row = x->data + ((ptrdiff_t)b->n * x->h + iy) * x->w * x->pixel;
    for (int first = 0; first < x->w; first += CPU_MC) {
        int pixels = MIN(CPU_MC, x->w - first);
        for (int c = 0; c < x->c; c += CPU_KC) {
            int count = MIN(CPU_KC, x->c - c);
            for (int i = 0; i < pixels; i++)
                cpu_copy_input(&conv->of, b->a + i * CPU_PITCH, row + (first + i) * x->pixel + c,
                               count);
            for (int column = 0; column < conv->columns; column += CPU_NR)
                conv->micro->product(pixels, cpu_panel_width(conv->columns, column / CPU_NR), count,
                                     b->a, weight_at(conv, c, column),
                                     b->products + (ptrdiff_t)first * conv->columns + column,
                                     conv->columns, c > 0, (CpuNext){0});
        }
    }
}

/* Inlined with constant @oc. */
static inline __attribute__((always_inline)) void add_pixels(const Band *b, int oc, int ky,
                                                             float *y)
{
    const Narrow *conv = b->conv;
    int kw = conv->of.op.conv.kw, width = conv->of.y.w;
    const float *products = b->products + ky * kw * oc;
    for (int ox = 0; ox < width; ox++)
        for (int kx = 0; kx < kw; kx++) {
            int ix = b->meets[kx * width + ox];
            if (ix >= 0)
                for (int j = 0; j < oc; j++)
                    y[ox * oc + j] += products[(ptrdiff_t)ix * conv->columns + kx * oc + j];
        }
}

static void add_row(const Band *b, int oy, int ky)
{
    int oc = b->conv->of.op.conv.oc;
    float *y = b->y + (ptrdiff_t)(oy - b->first) * b->conv->of.y.w * oc;
    if (oc == 1)
        add_pixels(b, 1, ky, y);
    else if (oc == 3)
        add_pixels(b, 3, ky, y);
    else
        add_pixels(b, oc, ky, y);
}

/* Multiplies input row @iy, where the band meets it, and adds the products. */
static void sum_row(Band *b, int iy)
{
    bool multiplied = false;
    for (int oy = b->first; oy < b->last; oy++)
        for (int ky = 0; ky < b->conv->of.op.conv.kh; ky++)
            if (meet_row(b->conv, oy, ky) == iy) {
                if (!multiplied)
                    multiply_row(b, iy);
                multiplied = true;
                add_row(b, oy, ky);
            }
}

static void run_band(void *data, int task, int worker)
{
    const Narrow *conv = data;
    const CpuView *y = &conv->of.y;
    Band b = {.conv = conv, .n = task / conv->bands, .first = task % conv->bands * conv->band};
    b.last = MIN(b.first + conv->band, y->h);
    b.a = conv->scratch + conv->worker_floats * (size_t)worker;
    b.products = b.a + CPU_MC * CPU_PITCH;
    b.y = b.products + (ptrdiff_t)conv->of.x.w * conv->columns;
    size_t values = (size_t)(b.last - b.first) * (size_t)y->w * (size_t)y->c;
    b.meets = (int *)(void *)(b.y + cpu_rounded((size_t)(conv->band * y->w * y->c)));
    memset(b.y, 0, values * sizeof *b.y);
    find_columns(&b);
    for (int iy = 0; iy < conv->of.x.h; iy++)
        sum_row(&b, iy);
    float *out = y->data + ((ptrdiff_t)b.n * y->h + b.first) * y->w * y->pixel;
    for (ptrdiff_t i = 0; i < (ptrdiff_t)(b.last - b.first) * y->w; i++)
        cpu_conv_finish(conv->micro, &conv->of, 0, y->c, b.y + i * y->c, out + i * y->pixel);
}

void cpu_conv_run_narrow(const PixDevice *device, const CpuConv *of, float *scratch)
{
    Narrow conv = narrow_of(device, of);
    CpuPool *pool = cpu_device(device)->pool;
    conv.weights = scratch;
    conv.scratch = scratch + (size_t)of->x.c * (size_t)conv.columns;
    cpu_parallel(pool, conv.taps, place_tap, &conv);
    cpu_parallel(pool, of->y.n * conv.bands, run_band, &conv);
}
