/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu-weights.h"

#include <string.h>

void cpu_phases(const PixOp *op, int *rows, int *columns)
{
    bool conv = op->kind == PIX_OP_CONV;
    *rows = conv ? 1 : op->conv.sh;
    *columns = conv ? 1 : op->conv.sw;
}

static CpuPhase conv_axis(int kernel, int stride, int before, int side)
{
    return (CpuPhase){.taps = kernel,
                      .kernel_step = 1,
                      .step = 1,
                      .count = side,
                      .in_first = -before,
                      .in_step = stride,
                      .in_tap = 1};
}

static CpuPhase deconv_axis(int r, int kernel, int stride, int before, int side)
{
    /* Output o meets kernel position k at input (o + before - k) / stride where that is whole. */
    int first = ((r - before) % stride + stride) % stride;
    return (CpuPhase){.taps = kernel > r ? (kernel - r + stride - 1) / stride : 0,
                      .kernel_first = r,
                      .kernel_step = stride,
                      .first = first,
                      .step = stride,
                      .count = side > first ? (side - first + stride - 1) / stride : 0,
                      .in_first = (first + before - r) / stride,
                      .in_step = 1,
                      .in_tap = -1};
}

CpuPhase cpu_phase_row(const PixOp *op, int r, int side)
{
    const PixConvOp *o = &op->conv;
    return op->kind == PIX_OP_CONV ? conv_axis(o->kh, o->sh, o->pad.top, side)
                                   : deconv_axis(r, o->kh, o->sh, o->pad.top, side);
}

CpuPhase cpu_phase_column(const PixOp *op, int r, int side)
{
    const PixConvOp *o = &op->conv;
    return op->kind == PIX_OP_CONV ? conv_axis(o->kw, o->sw, o->pad.left, side)
                                   : deconv_axis(r, o->kw, o->sw, o->pad.left, side);
}

int cpu_first_tap(const PixOp *op, int row, int column)
{
    int rows, columns, first = 0;
    cpu_phases(op, &rows, &columns);
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns && !(r == row && c == column); c++)
            if (r < row || (r == row && c < column))
                first += cpu_phase_row(op, r, 1).taps * cpu_phase_column(op, c, 1).taps;
    return first;
}

int cpu_tap(const PixOp *op, int ky, int kx)
{
    int rows, columns;
    cpu_phases(op, &rows, &columns);
    int taps_x = cpu_phase_column(op, kx % columns, 1).taps;
    return cpu_first_tap(op, ky % rows, kx % columns) + ky / rows * taps_x + kx / columns;
}

void cpu_tap_position(const PixOp *op, int tap, int *ky, int *kx)
{
    int rows, columns;
    cpu_phases(op, &rows, &columns);
    for (int phase = 0; phase < rows * columns; phase++) {
        CpuPhase y = cpu_phase_row(op, phase / columns, 1);
        CpuPhase x = cpu_phase_column(op, phase % columns, 1);
        if (tap < y.taps * x.taps) {
            *ky = y.kernel_first + tap / x.taps * y.kernel_step;
            *kx = x.kernel_first + tap % x.taps * x.kernel_step;
            return;
        }
        tap -= y.taps * x.taps;
    }
    g_assert_not_reached();
}

int cpu_panels(int oc)
{
    return (oc + CPU_NR - 1) / CPU_NR;
}

int cpu_panel_width(int oc, int panel)
{
    return oc - panel * CPU_NR <= CPU_NR / 2 ? CPU_NR / 2 : CPU_NR;
}

static int in_channels(const PixOp *op, const int dims[4])
{
    return op->kind == PIX_OP_CONV ? dims[1] : dims[0];
}

size_t cpu_weights_floats(const PixOp *op, int c)
{
    int oc = op->conv.oc, panels = cpu_panels(oc);
    size_t columns = (size_t)(panels - 1) * CPU_NR + (size_t)cpu_panel_width(oc, panels - 1);
    return columns * (size_t)op->conv.kh * (size_t)op->conv.kw * (size_t)c;
}

size_t cpu_weight_bytes(const PixDevice *device, const PixOp *op, const int dims[4], PixDtype dtype)
{
    return cpu_weights_floats(op, in_channels(op, dims)) * sizeof(float);
}

/* One kernel position (ky, kx) in PyTorch's order. */
typedef struct {
    const PixOp *op;
    int c, taps, ky, kx;
} Tap;

static size_t torch_index(const Tap *tap, int oc, int c)
{
    bool conv = tap->op->kind == PIX_OP_CONV;
    size_t outer = conv ? (size_t)oc : (size_t)c, inner = conv ? (size_t)c : (size_t)oc;
    size_t inners = conv ? (size_t)tap->c : (size_t)tap->op->conv.oc;
    return (outer * inners + inner) * (size_t)tap->taps +
           (size_t)(tap->ky * tap->op->conv.kw + tap->kx);
}

/* Copies one tap of one panel; @at: its place in the packed weights. */
static void copy_tap(const Tap *tap, int panel, const float *values, float *packed, float *unpacked)
{
    int width = cpu_panel_width(tap->op->conv.oc, panel);
    for (int c = 0; c < tap->c; c++)
        for (int j = 0; j < width; j++) {
            int oc = panel * CPU_NR + j;
            float *at = packed + (size_t)c * (size_t)width + j;
            if (oc >= tap->op->conv.oc)
                *at = values ? 0 : *at;
            else if (values)
                *at = values[torch_index(tap, oc, c)];
            else
                unpacked[torch_index(tap, oc, c)] = *at;
        }
}

/* Walks the packed order; with @values packs, else unpacks. */
static void walk(const PixOp *op, const int dims[4], const float *values, float *packed,
                 float *unpacked)
{
    Tap tap = {.op = op, .c = in_channels(op, dims), .taps = op->conv.kh * op->conv.kw};
    for (int panel = 0; panel < cpu_panels(op->conv.oc); panel++)
        for (int t = 0; t < tap.taps; t++) {
            cpu_tap_position(op, t, &tap.ky, &tap.kx);
            copy_tap(&tap, panel, values, packed, unpacked);
            packed += (size_t)tap.c * (size_t)cpu_panel_width(op->conv.oc, panel);
        }
}

void cpu_weights_pack(const PixOp *op, const int dims[4], const float *values, float *packed)
{
    walk(op, dims, values, packed, NULL);
}

void cpu_weights_unpack(const PixOp *op, const int dims[4], const float *packed, float *values)
{
    walk(op, dims, NULL, (float *)packed, values);
}

/* ---- the adjoint's ---- */

PixOp cpu_adjoint(const PixOp *op, int c)
{
    PixOp adjoint = {
        .kind = op->kind == PIX_OP_CONV ? PIX_OP_DECONV : PIX_OP_CONV,
        .conv = {
            .oc = c, .kh = op->conv.kh, .kw = op->conv.kw, .sh = op->conv.sh, .sw = op->conv.sw}};
    if (op->conv.pad.mode == PIX_PAD_ZERO)
        adjoint.conv.pad = op->conv.pad;
    return adjoint;
}

/* The next rows lie in another page, where the processor would not look by itself. */
static void prefetch(const float *from, int count)
{
    for (int i = 0; i < count; i += 16)
        __builtin_prefetch(from + i, 0, 2);
}

void cpu_weights_adjoint(const CpuMicro *micro, const PixOp *op, int c, const float *packed,
                         int panel, int k, int count, float *to)
{
    const PixOp from = cpu_adjoint(op, c);
    int oc = op->conv.oc, taps = op->conv.kh * op->conv.kw, width = cpu_panel_width(oc, panel);
    int columns = MIN(oc - panel * CPU_NR, width);
    if (columns < width)
        memset(to, 0, (size_t)count * (size_t)width * sizeof *to);
    for (int last = k + count, run; k < last; k += run, to += (ptrdiff_t)run * width) {
        int ky, kx, channel = k % c, from_panel = channel / CPU_NR;
        int from_width = cpu_panel_width(c, from_panel), lane = channel % CPU_NR;
        run = MIN(MIN(from_width - lane, c - channel), last - k);
        cpu_tap_position(op, k / c, &ky, &kx);
        size_t row = (size_t)cpu_tap(&from, ky, kx) * (size_t)oc + (size_t)panel * CPU_NR;
        const float *at = packed + (size_t)from_panel * CPU_NR * (size_t)taps * (size_t)oc +
                          row * (size_t)from_width + lane;
        if (from_panel + 1 < cpu_panels(c))
            prefetch(at + (size_t)CPU_NR * (size_t)taps * (size_t)oc, columns * from_width);
        micro->transpose(columns, run, at, from_width, to, width);
    }
}

typedef struct {
    const CpuMicro *micro;
    const PixOp *op;
    int c, runs; /* of CPU_KC rows in a panel */
    const float *packed;
    float *to;
    bool adds;
} Transposition;

static void transpose_run(void *data, int task, int worker)
{
    const Transposition *t = data;
    int rows = t->op->conv.kh * t->op->conv.kw * t->c;
    int panel = task / t->runs, k = task % t->runs * CPU_KC, count = MIN(CPU_KC, rows - k);
    int width = cpu_panel_width(t->op->conv.oc, panel);
    float sum[CPU_KC * CPU_NR];
    float *to = t->to + (size_t)panel * CPU_NR * (size_t)rows + (size_t)k * (size_t)width;
    cpu_weights_adjoint(t->micro, t->op, t->c, t->packed, panel, k, count, t->adds ? sum : to);
    for (int i = 0; i < count * width && t->adds; i++)
        to[i] += sum[i];
}

void cpu_weights_transpose(const PixDevice *device, const PixOp *op, int c, const float *packed,
                           float *to, bool adds)
{
    int rows = op->conv.kh * op->conv.kw * c, runs = (rows + CPU_KC - 1) / CPU_KC;
    Transposition t = {cpu_device(device)->micro, op, c, runs, packed, to, adds};
    cpu_parallel(cpu_device(device)->pool, cpu_panels(op->conv.oc) * runs, transpose_run, &t);
}
