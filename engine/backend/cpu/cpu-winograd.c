/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A task is a block of tiles times a group of weight panels. It goes through the channels in runs:
 * transforms them for every tile of the block, and multiplies them point by point by each panel of the
 * group. At the end the sums are transformed into outputs. What a task works on stays in the L2; the
 * weights stream.
 */
#include "cpu-winograd-task.h"

#define CALL_ROWS 42 /* in one product: a multiple of all kernels' rows */

/* ---- inputs ---- */

/* Of one axis of a tile: floats from the start of the input; -1: padding. */
static void place(const CpuWinograd *w, int first, int step, int side, ptrdiff_t pitch,
                  ptrdiff_t *at)
{
    for (int i = 0; i < w->tile.points; i++) {
        int from = cpu_padded_index(first + i * step, side, w->of.op.conv.pad.mode);
        at[i] = from < 0 ? -1 : from * pitch;
    }
}

/* The pixels of @tile in phase @input, from channel @c on. */
static void find_tile(const CpuWinogradTask *t, CpuWinogradPlace tile, int input, int c,
                      const float **from)
{
    const CpuWinograd *w = t->w;
    const CpuView *x = &w->of.x;
    const PixConvOp *o = &w->of.op.conv;
    bool conv = w->of.op.kind == PIX_OP_CONV;
    int m = w->tile.outputs, points = w->tile.points;
    int step_y = conv ? o->sh : 1, step_x = conv ? o->sw : 1;
    const float *data = x->data + (ptrdiff_t)tile.n * x->h * x->w * x->pixel + c;
    ptrdiff_t rows[CPU_TILE_POINTS], columns[CPU_TILE_POINTS];
    int y = w->first_y + input / w->inputs_x + tile.y * m * step_y, last = points - 1;
    int left = w->first_x + input % w->inputs_x + tile.x * m * step_x;
    if (y >= 0 && left >= 0 && y + last * step_y < x->h && left + last * step_x < x->w) {
        data += ((ptrdiff_t)y * x->w + left) * x->pixel;
        for (int i = 0; i < points; i++, data += (ptrdiff_t)step_y * x->w * x->pixel)
            for (int j = 0; j < points; j++)
                *from++ = data + (ptrdiff_t)j * step_x * x->pixel;
        return;
    }
    place(w, y, step_y, x->h, x->w * x->pixel, rows);
    place(w, left, step_x, x->w, x->pixel, columns);
    for (int i = 0; i < points; i++)
        for (int j = 0; j < points; j++)
            *from++ = rows[i] < 0 || columns[j] < 0 ? t->zeros : data + rows[i] + columns[j];
}

/* Channels @k .. @k + @count - 1 of all phases, for all tiles of the block. */
static void transform_inputs(CpuWinogradTask *t, int k, int count)
{
    const CpuWinograd *w = t->w;
    const float *from[CPU_TILE_POINTS * CPU_TILE_POINTS];
    ptrdiff_t plane = (ptrdiff_t)w->cut.rows * CPU_PITCH;
    for (int at = 0, run; at < count; at += run) {
        int c = (k + at) % w->of.x.c;
        run = MIN(w->of.x.c - c, count - at);
        CpuWinogradPlace tile = cpu_winograd_place(w, t->first);
        for (int i = 0; i < t->rows; i++, tile = cpu_winograd_next(w, tile)) {
            find_tile(t, tile, (k + at) / w->of.x.c, c, from);
            w->micro->tile_in(w->tile, w->of.rectifies, from, run, t->v + i * CPU_PITCH + at,
                              plane);
        }
    }
}

/* ---- products ---- */

/* One point of one panel, for the first @rows tiles of the block. */
static void multiply_point(const CpuWinogradTask *t, int rows, int k, int count, int width,
                           const float *v, const float *weights, float *sums, const float *next)
{
    int calls = (rows + CALL_ROWS - 1) / CALL_ROWS;
    int share = next ? count * width / calls / CPU_LINE * CPU_LINE : 0;
    for (int row = 0; row < rows; row += CALL_ROWS) {
        t->w->micro->product(MIN(rows - row, CALL_ROWS), width, count, v + row * CPU_PITCH, weights,
                             sums + row * CPU_NR, CPU_NR, k > 0, (CpuNext){next, share});
        next = next ? next + share : NULL;
    }
}

/* Where weights are read once, point after point, so that a point's inputs, if they are few, stay in the
 * L1; else panel after panel, so that all inputs stay in the L2. */
static void multiply(const CpuWinogradTask *t, int k, int count)
{
    const CpuWinograd *w = t->w;
    bool by_point = w->cut.by_point, last_run = k + count == w->k;
    int points = cpu_winograd_points(w), panels = t->last_panel - t->first_panel;
    int outer = by_point ? points : panels, inner = by_point ? panels : points;
    int rows[CPU_WINOGRAD_PANELS];
    const float *weights = cpu_winograd_weights(w, t->weights, t->first_panel, 0, k), *next;
    for (int i = 0; i < panels; i++)
        rows[i] = cpu_winograd_rows(t, t->first_panel + i);
    for (int i = 0; i < outer * inner; i++, weights = next) {
        int point = by_point ? i / inner : i % inner, panel = by_point ? i % inner : i / inner;
        int width = cpu_winograd_width(w, t->first_panel + panel);
        next = weights + (ptrdiff_t)count * width;
        if (rows[panel] > 0)
            multiply_point(t, rows[panel], k, count, width,
                           t->v + (ptrdiff_t)point * w->cut.rows * CPU_PITCH, weights,
                           cpu_winograd_sums(t, t->first_panel + panel, point),
                           last_run && i + 1 == outer * inner ? NULL : next);
    }
}

/* ---- all of it ---- */

typedef struct {
    const CpuWinograd *w;
    const float *weights;
    float *scratch; /* of worker 0 */
} Run;

static void run_task(void *data, int task, int worker)
{
    const Run *run = data;
    const CpuWinograd *w = run->w;
    const CpuWinogradCut *cut = &w->cut;
    CpuWinogradTask t = {.w = w, .weights = run->weights, .first = task % cut->blocks * cut->rows};
    t.rows = MIN(cut->rows, cut->tiles - t.first);
    t.first_panel = task / cut->blocks * cut->panels;
    t.last_panel = MIN(t.first_panel + cut->panels, w->panels);
    t.zeros = run->scratch + cut->worker_floats * (size_t)worker;
    t.v = t.zeros + CPU_KC;
    t.sums = t.v + (ptrdiff_t)cpu_winograd_points(w) * cut->rows * CPU_PITCH;
    t.y = t.sums + (ptrdiff_t)cut->panels * CPU_NR * cpu_winograd_points(w) * cut->rows;
    memset(t.zeros, 0, CPU_KC * sizeof *t.zeros);
    for (int k = 0; k < w->k; k += w->run) {
        int count = MIN(w->run, w->k - k);
        transform_inputs(&t, k, count);
        multiply(&t, k, count);
    }
    for (int panel = t.first_panel; panel < t.last_panel; panel++)
        cpu_winograd_store(&t, panel);
}

void cpu_winograd_run(const PixDevice *device, const CpuWinograd *w, const float *prepared,
                      float *scratch)
{
    Run run = {w, prepared, scratch};
    cpu_parallel(cpu_device(device)->pool, w->cut.blocks * w->cut.groups, run_task, &run);
}

void cpu_winograd_run_once(const PixDevice *device, const CpuConv *conv, float *scratch)
{
    CpuWinograd w;
    if (!cpu_winograd_of(device, conv, true, &w)) {
        cpu_conv_run(device, conv, scratch);
        return;
    }
    cpu_winograd_prepare(device, &w, scratch);
    cpu_winograd_run(device, &w, scratch, scratch + cpu_winograd_weight_floats(&w));
}

size_t cpu_winograd_run_once_floats(const PixDevice *device, const CpuConv *conv)
{
    CpuWinograd w;
    return cpu_winograd_of(device, conv, true, &w)
               ? cpu_winograd_weight_floats(&w) + cpu_winograd_run_floats(device, &w)
               : cpu_conv_run_floats(device, conv);
}
