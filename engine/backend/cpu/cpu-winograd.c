/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A task is a block of tiles times a group of weight panels. It goes through the channels in runs of
 * channels: transforms them for every tile of the block, and multiplies them point by point by each
 * panel of the group. At the end the sums are transformed into outputs. What a task works on stays in
 * the L2; the weights stream.
 */
#include "cpu-winograd.h"

#define MAX_PANELS 8
#define MAX_PHASES CPU_NR /* that are joined */
#define ROWS 14           /* of the widest kernel's tile: a block has so many, or a multiple */
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

/* ---- tiles ---- */

/* Sample, row and column of a tile. */
typedef struct {
    int n, y, x;
} Place;

static Place place_of(const CpuWinograd *w, int tile)
{
    return (Place){.n = tile / (w->tiles_y * w->tiles_x),
                   .y = tile / w->tiles_x % w->tiles_y,
                   .x = tile % w->tiles_x};
}

static Place next_place(const CpuWinograd *w, Place tile)
{
    if (++tile.x < w->tiles_x)
        return tile;
    tile.x = 0;
    if (++tile.y < w->tiles_y)
        return tile;
    tile.y = 0;
    tile.n++;
    return tile;
}

/* ---- the cut ---- */

/* How long the slowest thread takes, by the products of a point. */
static double time_of(const Cut *cut)
{
    const CpuWinograd *w = &cut->w;
    double rows = cut->rows, columns = (double)cut->panels * CPU_NR, runs = (w->k - 1) / w->run + 1;
    double tasks = (double)((cut->blocks * cut->groups + CPU_CUT_THREADS - 1) / CPU_CUT_THREADS);
    double products = rows * columns * (w->k + ADD_COST * runs), reads = columns * w->k * READ_COST;
    return tasks * (products + reads + rows * (w->k + columns) * TRANSFORM_COST);
}

static size_t floats_of(const Cut *cut)
{
    const CpuWinograd *w = &cut->w;
    return CPU_KC + (size_t)points_of(w) * (size_t)cut->rows * CPU_PITCH +
           CPU_NR * (size_t)(cut->panels * points_of(w) * cut->rows + outputs_of(w));
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
    Cut best = cut_in(w, tiles, ROWS, 1);
    for (int panels = 1; panels <= MIN(w->panels, MAX_PANELS); panels++)
        for (int rows = ROWS; rows <= MAX_ROWS; rows += ROWS) {
            Cut cut = cut_in(w, tiles, rows, panels);
            if (fits(&cut, cpu_device(device)->cache_bytes) && time_of(&cut) < time_of(&best))
                best = cut;
        }
    return best;
}

/* Whether sums are stored as they are, whole panels at a time. */
static bool is_plain(const CpuWinograd *w)
{
    return !w->joins && !w->of.scale && !w->of.shift && !w->of.adds &&
           w->of.op.conv.activation.kind == PIX_ACTIVATION_NONE &&
           w->of.op.conv.oc % (CPU_NR / 2) == 0;
}

int cpu_winograd_parts(const PixDevice *device, const CpuWinograd *w)
{
    return is_plain(w) ? cut_of(device, w).blocks * w->outputs : 0;
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
static void find_tile(const Task *t, Place tile, int input, int c, const float **from)
{
    const CpuWinograd *w = &t->cut->w;
    const CpuView *x = &w->of.x;
    const PixConvOp *o = &w->of.op.conv;
    bool conv = w->of.op.kind == PIX_OP_CONV;
    int m = w->tile.outputs, points = w->tile.points;
    int step_y = conv ? o->sh : 1, step_x = conv ? o->sw : 1;
    const float *data = x->data + (ptrdiff_t)tile.n * x->h * x->w * x->pixel + c;
    ptrdiff_t rows[CPU_TILE_POINTS], columns[CPU_TILE_POINTS];
    place(w, w->first_y + input / w->inputs_x + tile.y * m * step_y, step_y, x->h, x->w * x->pixel,
          rows);
    place(w, w->first_x + input % w->inputs_x + tile.x * m * step_x, step_x, x->w, x->pixel,
          columns);
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
        Place tile = place_of(w, t->first);
        for (int i = 0; i < t->rows; i++, tile = next_place(w, tile)) {
            find_tile(t, tile, (k + at) / w->of.x.c, c, from);
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

/* A phase of outputs, and how far its first output is from that of the first tile. */
typedef struct {
    CpuPhase row, column;
    int y, x;
} Phase;

static Phase phase_of(const CpuWinograd *w, int output)
{
    const PixOp *op = &w->of.op;
    Phase p = {.row = cpu_phase_row(op, output / w->outputs_x, w->of.y.h),
               .column = cpu_phase_column(op, output % w->outputs_x, w->of.y.w)};
    if (op->kind == PIX_OP_DECONV) {
        p.y = w->first_y - (p.row.in_first - (w->taps - 1));
        p.x = w->first_x - (p.column.in_first - (w->taps - 1));
    }
    return p;
}

/* Where the pixels of @tile have channel @channel; NULL: outside. */
static void find_pixels(const CpuWinograd *w, const Phase *p, Place tile, int channel, float **to)
{
    const CpuView *y = &w->of.y;
    int m = w->tile.outputs;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < m; j++, to++) {
            int row = p->y + tile.y * m + i, column = p->x + tile.x * m + j;
            bool inside = (unsigned)row < (unsigned)p->row.count &&
                          (unsigned)column < (unsigned)p->column.count;
            ptrdiff_t at = ((ptrdiff_t)tile.n * y->h + p->row.first + row * p->row.step) * y->w +
                           p->column.first + column * p->column.step;
            *to = inside ? y->data + at * y->pixel + channel : NULL;
        }
}

/* The tiles of @panel, one of phase @output, straight to where they belong. */
static void store_plain(const Task *t, int panel, int output)
{
    const CpuWinograd *w = &t->cut->w;
    int channel = panel % t->cut->phase_panels * CPU_NR, width = cpu_winograd_width(w, panel);
    int oc = w->of.op.conv.oc, part = t->first / t->cut->rows * w->outputs + output;
    double *parts = w->of.parts ? w->of.parts + (ptrdiff_t)part * 2 * oc + channel : NULL;
    float *to[CPU_TILE_POINTS * CPU_TILE_POINTS];
    if (parts) {
        memset(parts, 0, (size_t)width * sizeof *parts);
        memset(parts + oc, 0, (size_t)width * sizeof *parts);
    }
    Phase phase = phase_of(w, output);
    Place tile = place_of(w, t->first);
    for (int i = 0; i < t->rows; i++, tile = next_place(w, tile)) {
        find_pixels(w, &phase, tile, channel, to);
        w->micro->tile_out(w->tile, sums_of(t, panel, 0) + i * CPU_NR,
                           (ptrdiff_t)t->cut->rows * CPU_NR, width, to, parts, oc);
    }
}

/* What becomes of the columns of a panel: vectors for all of them, the phases' one after the other. */
typedef struct {
    float scale[CPU_NR], shift[CPU_NR];
} Columns;

static CpuFinish finish_of(const CpuWinograd *w, int channel, Columns *columns)
{
    int oc = w->of.op.conv.oc;
    CpuFinish finish = cpu_conv_finish_of(&w->of, 0);
    finish.adds = false; /* copy_pixels() does */
    for (int i = 0; i < CPU_NR; i++) {
        int c = w->joins ? i % oc : channel + i;
        columns->scale[i] = finish.scale && c < oc ? finish.scale[c] : 1;
        columns->shift[i] = finish.shift && c < oc ? finish.shift[c] : 0;
    }
    finish.scale = finish.scale ? columns->scale : NULL;
    finish.shift = finish.shift ? columns->shift : NULL;
    return finish;
}

/* @count channels from @first on of all pixels of @tile. */
static void copy_pixels(const CpuWinograd *w, const Phase *phase, Place tile, int first, int count,
                        const float *from)
{
    float *to[CPU_TILE_POINTS * CPU_TILE_POINTS];
    find_pixels(w, phase, tile, first, to);
    for (int i = 0; i < outputs_of(w); i++, from += CPU_NR) {
        if (to[i] && !w->of.adds)
            cpu_copy_floats(to[i], from, count);
        for (int c = 0; c < count && to[i] && w->of.adds; c++)
            to[i][c] += from[c];
    }
}

/* The tiles of @panel, of phase @output or of all, by way of t->y. */
static void store_finished(const Task *t, int panel, int output)
{
    const CpuWinograd *w = &t->cut->w;
    int oc = w->of.op.conv.oc, channel = panel % t->cut->phase_panels * CPU_NR;
    int outputs = w->joins ? w->outputs : 1, width = cpu_winograd_width(w, panel);
    float *to[CPU_TILE_POINTS * CPU_TILE_POINTS];
    Phase phases[MAX_PHASES];
    Columns columns;
    CpuFinish finish = finish_of(w, channel, &columns);
    Place tile = place_of(w, t->first);
    for (int j = 0; j < outputs; j++)
        phases[j] = phase_of(w, output + j);
    for (int i = 0; i < outputs_of(w); i++)
        to[i] = t->y + (ptrdiff_t)i * CPU_NR;
    for (int i = 0; i < t->rows; i++, tile = next_place(w, tile)) {
        w->micro->tile_out(w->tile, sums_of(t, panel, 0) + i * CPU_NR,
                           (ptrdiff_t)t->cut->rows * CPU_NR, width, to, NULL, 0);
        for (int j = 0; j < outputs_of(w); j++)
            w->micro->finish(&finish, to[j], to[j], width);
        for (int j = 0; j < outputs; j++)
            copy_pixels(w, &phases[j], tile, channel, MIN(CPU_NR, oc - channel),
                        t->y + (ptrdiff_t)j * oc);
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
    for (int panel = t.first_panel; panel < t.last_panel; panel++) {
        int output = w->joins ? 0 : panel / cut->phase_panels;
        if (is_plain(w))
            store_plain(&t, panel, output);
        else
            store_finished(&t, panel, output);
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
