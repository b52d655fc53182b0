/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A task is a block of tiles times a group of weight panels. It goes through the channels in runs of
 * channels: transforms them for every tile of the block, and multiplies them point by point by each
 * panel of the group. At the end the sums are transformed into outputs. What a task works on stays in
 * the L2; the weights stream.
 */
#include "cpu-winograd.h"
#include <stdio.h>
#include <stdlib.h>

#define MAX_PANELS 8
#define ROWS 14 /* of the widest kernel's tile: a block has so many, or a multiple */
#define MAX_ROWS (9 * ROWS)
#define CALL_ROWS (3 * ROWS) /* in one product; a multiple of other kernels' rows, too */
#define LINE 16              /* floats of the cache */
/* In multiplications: a value of a tile that is transformed, a weight that is read from memory, and a
 * sum that is added to once more. */
#define TRANSFORM_COST 15
#define READ_COST 6
#define ADD_COST 2

typedef struct {
    CpuWinograd w;
    const float *weights; /* prepared */
    int tiles;            /* of all samples */
    int rows, blocks;     /* tiles in a block */
    int panels, groups;   /* panels in a group */
    int phase_panels;     /* in a phase of outputs */
    float *scratch;       /* of worker 0 */
    size_t worker_floats;
} Cut;

typedef struct {
    const Cut *cut;
    int first, rows; /* tiles */
    int first_panel, last_panel;
    float *zeros, *v, *sums, *y; /* a pixel; inputs and sums at the points; outputs of a tile */
} Task;

static int points_of(const CpuWinograd *w)
{
    return w->tile.points * w->tile.points;
}

static int outputs_of(const CpuWinograd *w)
{
    return w->tile.outputs * w->tile.outputs;
}

/* ---- the cut ---- */

/* How long the slowest thread takes, by the products of a point. */
static double time_of(const Cut *cut, int threads)
{
    const CpuWinograd *w = &cut->w;
    double rows = cut->rows, columns = (double)cut->panels * CPU_NR, runs = (w->k - 1) / w->run + 1;
    double tasks = (double)((cut->blocks * cut->groups + threads - 1) / threads);
    double products = rows * columns * (w->k + ADD_COST * runs), reads = columns * w->k * READ_COST;
    return tasks * (products + reads + rows * (w->k + columns) * TRANSFORM_COST);
}

static size_t floats_of(const Cut *cut)
{
    const CpuWinograd *w = &cut->w;
    return CPU_KC + (size_t)points_of(w) * (size_t)cut->rows * CPU_PITCH +
           (size_t)cut->panels * CPU_NR * (size_t)(points_of(w) * cut->rows + outputs_of(w));
}

/* Whether inputs and sums stay in the cache while weights stream through it. */
static bool fits(const Cut *cut, size_t cache_bytes)
{
    size_t values = (size_t)cut->w.run + (size_t)cut->panels * CPU_NR;
    size_t bytes = (size_t)(points_of(&cut->w) * cut->rows) * values * sizeof(float);
    return bytes <= cache_bytes / 8 * 3;
}

static Cut cut_in(const CpuWinograd *w, int tiles, int rows, int panels)
{
    Cut cut = {.w = *w, .tiles = tiles, .rows = MIN(rows, tiles), .panels = panels};
    cut.blocks = (tiles + cut.rows - 1) / cut.rows;
    cut.groups = (w->panels + panels - 1) / panels;
    cut.phase_panels = w->joins ? 1 : cpu_panels(w->of.op.conv.oc);
    cut.worker_floats = floats_of(&cut);
    return cut;
}

static Cut cut_of(const PixDevice *device, const CpuWinograd *w)
{
    int tiles = w->of.y.n * w->tiles_y * w->tiles_x;
    int threads = cpu_pool_threads(cpu_device(device)->pool);
    if (getenv("WR")) {
        Cut c = cut_in(w, tiles, atoi(getenv("WR")), MIN(w->panels, atoi(getenv("WP"))));
        return c;
    }
    Cut best = cut_in(w, tiles, ROWS, 1);
    for (int panels = 1; panels <= MIN(w->panels, MAX_PANELS); panels++)
        for (int rows = ROWS; rows <= MAX_ROWS; rows += ROWS) {
            Cut cut = cut_in(w, tiles, rows, panels);
            if (fits(&cut, cpu_device(device)->cache_bytes) &&
                time_of(&cut, threads) < time_of(&best, threads))
                best = cut;
        }
    if (getenv("WD"))
        fprintf(stderr, "k %d tiles %d panels %d: rows %d blocks %d P %d groups %d run %d\n", w->k,
                tiles, w->panels, best.rows, best.blocks, best.panels, best.groups, w->run);
    return best;
}

size_t cpu_winograd_run_floats(const PixDevice *device, const CpuWinograd *w)
{
    return cut_of(device, w).worker_floats * (size_t)cpu_pool_threads(cpu_device(device)->pool);
}

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
static void find_tile(const Task *t, int tile, int input, int c, const float **from)
{
    const CpuWinograd *w = &t->cut->w;
    const CpuView *x = &w->of.x;
    const PixConvOp *o = &w->of.op.conv;
    bool conv = w->of.op.kind == PIX_OP_CONV;
    int n = tile / (w->tiles_y * w->tiles_x), ty = tile / w->tiles_x % w->tiles_y;
    int tx = tile % w->tiles_x, m = w->tile.outputs, points = w->tile.points;
    int step_y = conv ? o->sh : 1, step_x = conv ? o->sw : 1;
    const float *data = x->data + (ptrdiff_t)n * x->h * x->w * x->pixel + c;
    ptrdiff_t rows[CPU_TILE_POINTS], columns[CPU_TILE_POINTS];
    place(w, w->first_y + input / w->inputs_x + ty * m * step_y, step_y, x->h, x->w * x->pixel,
          rows);
    place(w, w->first_x + input % w->inputs_x + tx * m * step_x, step_x, x->w, x->pixel, columns);
    for (int i = 0; i < points; i++)
        for (int j = 0; j < points; j++)
            *from++ = rows[i] < 0 || columns[j] < 0 ? t->zeros : data + rows[i] + columns[j];
}

/* Channels @k .. @k + @count - 1 of all phases, for all tiles of the block. */
static void transform_inputs(Task *t, int k, int count)
{
    const CpuWinograd *w = &t->cut->w;
    const float *from[CPU_TILE_POINTS * CPU_TILE_POINTS];
    ptrdiff_t plane = (ptrdiff_t)t->cut->rows * CPU_PITCH;
    for (int at = 0, run; at < count; at += run) {
        int c = (k + at) % w->of.x.c;
        run = MIN(w->of.x.c - c, count - at);
        for (int i = 0; i < t->rows; i++) {
            find_tile(t, t->first + i, (k + at) / w->of.x.c, c, from);
            w->micro->tile_in(w->tile, w->of.rectifies, from, run, t->v + i * CPU_PITCH + at,
                              plane);
        }
    }
}

/* ---- products ---- */

static float *sums_of(const Task *t, int panel, int point)
{
    return t->sums + ((ptrdiff_t)(panel - t->first_panel) * points_of(&t->cut->w) + point) *
                         t->cut->rows * CPU_NR;
}

/* The weights that come after those of @panel up to channel @k. */
static const float *after(const Task *t, int panel, int k)
{
    const CpuWinograd *w = &t->cut->w;
    if (panel + 1 < t->last_panel)
        return cpu_winograd_weights(w, t->cut->weights, panel + 1, (k - 1) / w->run * w->run);
    return k < w->k ? cpu_winograd_weights(w, t->cut->weights, t->first_panel, k) : NULL;
}

/* One point of one panel, for all tiles of the block. */
static void multiply_point(const Task *t, int k, int count, int width, const float *v,
                           const float *weights, float *sums, const float *next)
{
    int calls = (t->rows + CALL_ROWS - 1) / CALL_ROWS;
    int share = next ? count * width / calls / LINE * LINE : 0;
    for (int row = 0; row < t->rows; row += CALL_ROWS) {
        t->cut->w.micro->product(MIN(t->rows - row, CALL_ROWS), width, count, v + row * CPU_PITCH,
                                 weights, sums + row * CPU_NR, CPU_NR, k > 0,
                                 (CpuNext){next, share});
        next = next ? next + share : NULL;
    }
}

static void multiply(const Task *t, int k, int count)
{
    const CpuWinograd *w = &t->cut->w;
    ptrdiff_t plane = (ptrdiff_t)t->cut->rows * CPU_PITCH;
    for (int panel = t->first_panel; panel < t->last_panel; panel++) {
        int width = cpu_winograd_width(w, panel);
        const float *weights = cpu_winograd_weights(w, t->cut->weights, panel, k), *next;
        for (int point = 0; point < points_of(w); point++, weights = next) {
            next = point + 1 < points_of(w) ? weights + (ptrdiff_t)count * width
                                            : after(t, panel, k + count);
            multiply_point(t, k, count, width, t->v + point * plane, weights,
                           sums_of(t, panel, point), next);
        }
    }
}

/* ---- outputs ---- */

/* One tile of one phase: output pixels from (@y, @x) of the phase's own on. */
typedef struct {
    CpuPhase row, column;
    int n, y, x;
} Place;

static Place place_of(const CpuWinograd *w, int tile, int output)
{
    const PixOp *op = &w->of.op;
    Place p = {.row = cpu_phase_row(op, output / w->outputs_x, w->of.y.h),
               .column = cpu_phase_column(op, output % w->outputs_x, w->of.y.w)};
    p.n = tile / (w->tiles_y * w->tiles_x);
    p.y = tile / w->tiles_x % w->tiles_y * w->tile.outputs;
    p.x = tile % w->tiles_x * w->tile.outputs;
    if (op->kind == PIX_OP_DECONV) {
        p.y += w->first_y - (p.row.in_first - (w->taps - 1));
        p.x += w->first_x - (p.column.in_first - (w->taps - 1));
    }
    return p;
}

/* @sums: of output channels @first .. @first + @count - 1. */
static void store(const Task *t, Place p, int first, int count, const float *sums, int pitch)
{
    const CpuWinograd *w = &t->cut->w;
    const CpuView *y = &w->of.y;
    int m = w->tile.outputs;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < m; j++) {
            int row = p.y + i, column = p.x + j;
            if (row < 0 || row >= p.row.count || column < 0 || column >= p.column.count)
                continue;
            ptrdiff_t at = ((ptrdiff_t)p.n * y->h + p.row.first + row * p.row.step) * y->w +
                           p.column.first + column * p.column.step;
            cpu_conv_finish(w->micro, &w->of, first, count, sums + (ptrdiff_t)(i * m + j) * pitch,
                            y->data + at * y->pixel + first);
        }
}

/* Panels @first .. @last - 1, all of one phase, or of all phases. */
static void transform_outputs(const Task *t, int first, int last)
{
    const CpuWinograd *w = &t->cut->w;
    int oc = w->of.op.conv.oc, output = first / t->cut->phase_panels,
        pitch = (last - first) * CPU_NR;
    int channel = first % t->cut->phase_panels * CPU_NR, outputs = w->joins ? w->outputs : 1;
    ptrdiff_t plane = (ptrdiff_t)t->cut->rows * CPU_NR;
    for (int i = 0; i < t->rows; i++) {
        for (int panel = first; panel < last; panel++)
            w->micro->tile_out(w->tile, sums_of(t, panel, 0) + i * CPU_NR, plane,
                               cpu_winograd_width(w, panel),
                               t->y + (ptrdiff_t)(panel - first) * CPU_NR, pitch);
        for (int j = 0; j < outputs; j++)
            store(t, place_of(w, t->first + i, output + j), channel, MIN(pitch, oc - channel),
                  t->y + (ptrdiff_t)j * oc, pitch);
    }
}

static void run_task(void *data, int task, int worker)
{
    const Cut *cut = data;
    const CpuWinograd *w = &cut->w;
    Task t = {.cut = cut, .first = task % cut->blocks * cut->rows};
    t.rows = MIN(cut->rows, cut->tiles - t.first);
    t.first_panel = task / cut->blocks * cut->panels;
    t.last_panel = MIN(t.first_panel + cut->panels, w->panels);
    t.zeros = cut->scratch + cut->worker_floats * (size_t)worker;
    t.v = t.zeros + CPU_KC;
    t.sums = t.v + (ptrdiff_t)points_of(w) * cut->rows * CPU_PITCH;
    t.y = t.sums + (ptrdiff_t)cut->panels * CPU_NR * points_of(w) * cut->rows;
    memset(t.zeros, 0, CPU_KC * sizeof *t.zeros);
    for (int k = 0; k < w->k; k += w->run) {
        int count = MIN(w->run, w->k - k);
        transform_inputs(&t, k, count);
        multiply(&t, k, count);
    }
    for (int first = t.first_panel, last; first < t.last_panel; first = last) {
        last = MIN((first / cut->phase_panels + 1) * cut->phase_panels, t.last_panel);
        transform_outputs(&t, first, last);
    }
}

void cpu_winograd_run(const PixDevice *device, const CpuWinograd *w, const float *prepared,
                      float *scratch)
{
    Cut cut = cut_of(device, w);
    cut.weights = prepared;
    cut.scratch = scratch;
    cpu_parallel(cpu_device(device)->pool, cut.blocks * cut.groups, run_task, &cut);
}
