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

int cpu_weights_columns(int oc)
{
    int last = cpu_panels(oc) - 1;
    return last * CPU_NR + cpu_panel_width(oc, last);
}

size_t cpu_weights_floats(const PixOp *op, int c)
{
    return (size_t)cpu_weights_columns(op->conv.oc) * (size_t)op->conv.kh * (size_t)op->conv.kw *
           (size_t)c;
}

/* How many rows the phase of @row has. @first: (out): those of earlier phases. */
static int phase_rows(const PixOp *op, int c, int row, int *first)
{
    int phases_y, phases_x, rows = 0;
    cpu_phases(op, &phases_y, &phases_x);
    *first = 0;
    for (int phase = 0; phase < phases_y * phases_x; phase++) {
        *first += rows;
        rows = cpu_phase_row(op, phase / phases_x, 1).taps *
               cpu_phase_column(op, phase % phases_x, 1).taps * c;
        if (row < *first + rows)
            break;
    }
    return rows;
}

size_t cpu_weights_at(const PixOp *op, int c, int panel, int row, int *count)
{
    int first, rows = phase_rows(op, c, row, &first), k = row - first;
    *count = MIN(*count, MIN(CPU_KC - k % CPU_KC, rows - k));
    return cpu_weights_in_phase(cpu_weights_columns(op->conv.oc), panel, first, rows, k);
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

/* Copies one row of one panel; @at: its place in the packed weights. */
static void copy_row(const Tap *tap, int panel, int c, const float *values, float *at,
                     float *unpacked)
{
    for (int j = 0; j < cpu_panel_width(tap->op->conv.oc, panel); j++) {
        int oc = panel * CPU_NR + j;
        if (oc >= tap->op->conv.oc)
            at[j] = values ? 0 : at[j];
        else if (values)
            at[j] = values[torch_index(tap, oc, c)];
        else
            unpacked[torch_index(tap, oc, c)] = at[j];
    }
}

/* With @values packs, else unpacks. */
static void walk(const PixOp *op, const int dims[4], const float *values, float *packed,
                 float *unpacked)
{
    Tap tap = {.op = op, .c = in_channels(op, dims), .taps = op->conv.kh * op->conv.kw};
    for (int panel = 0; panel < cpu_panels(op->conv.oc); panel++)
        for (int t = 0; t < tap.taps; t++) {
            cpu_tap_position(op, t, &tap.ky, &tap.kx);
            for (int c = 0, count; c < tap.c; c += count) {
                count = tap.c - c;
                float *at = packed + cpu_weights_at(op, tap.c, panel, t * tap.c + c, &count);
                for (int i = 0; i < count; i++, at += cpu_panel_width(op->conv.oc, panel))
                    copy_row(&tap, panel, c + i, values, at, unpacked);
            }
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
    int oc = op->conv.oc, width = cpu_panel_width(oc, panel);
    int columns = MIN(oc - panel * CPU_NR, width);
    if (columns < width)
        memset(to, 0, (size_t)count * (size_t)width * sizeof *to);
    for (int last = k + count, run; k < last; k += run, to += (ptrdiff_t)run * width) {
        int ky, kx, channel = k % c, from_panel = channel / CPU_NR;
        int from_width = cpu_panel_width(c, from_panel), lane = channel % CPU_NR;
        run = MIN(MIN(from_width - lane, c - channel), last - k);
        cpu_tap_position(op, k / c, &ky, &kx);
        int row = cpu_tap(&from, ky, kx) * oc + panel * CPU_NR;
        for (int first = 0, rows; first < columns; first += rows) {
            rows = columns - first;
            const float *at =
                packed + cpu_weights_at(&from, oc, from_panel, row + first, &rows) + lane;
            if (from_panel + 1 < cpu_panels(c))
                prefetch(packed + cpu_weights_at(&from, oc, from_panel + 1, row + first, &rows),
                         rows * from_width);
            micro->transpose(rows, run, at, from_width, to + first, width);
        }
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
    for (int last = k + count; k < last; k += count) {
        count = last - k;
        float *to = t->to + cpu_weights_at(t->op, t->c, panel, k, &count);
        cpu_weights_adjoint(t->micro, t->op, t->c, t->packed, panel, k, count, t->adds ? sum : to);
        for (int i = 0; i < count * width && t->adds; i++)
            to[i] += sum[i];
    }
}

void cpu_weights_transpose(const PixDevice *device, const PixOp *op, int c, const float *packed,
                           float *to, bool adds)
{
    int rows = op->conv.kh * op->conv.kw * c, runs = (rows + CPU_KC - 1) / CPU_KC;
    Transposition t = {cpu_device(device)->micro, op, c, runs, packed, to, adds};
    cpu_parallel(cpu_device(device)->pool, cpu_panels(op->conv.oc) * runs, transpose_run, &t);
}
