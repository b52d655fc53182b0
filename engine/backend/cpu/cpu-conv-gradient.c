/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The gradient of a convolution's weights: for each tap the sum, over all output pixels, of the
 * outer product of the input pixel that it meets and the output's gradient.
 *
 * A task owns some taps of one panel, and no sum is shared between tasks. It goes over the pixels
 * in blocks: copies the panel's part of the output's gradient, lists for each tap the pixels that
 * meet no padding, and adds up their outer products right in the packed gradient. Of inputs with few
 * channels all taps are gathered first, so that the tiles of the micro-kernel are full.
 *
 * Where there are too few panels and taps for many threads, the pixels are cut into chunks, whose
 * sums are added up at the end. The cut depends on the layer alone, and so do the results.
 */
#include "cpu-conv.h"

/* Rows of a task: enough that copying a panel's pixels is little beside multiplying them. */
#define TASK_ROWS 256
#define MAX_TASK_TAPS 16
/* Fewer tasks than this leave threads idle. A chunk has at least so many blocks of pixels. */
#define WANTED_TASKS 16
#define CHUNK_BLOCKS 8
/* Inputs with fewer channels than a vector are gathered; outputs with fewer go the other way round,
 * where they are the input. */
#define FEW_CHANNELS 16

typedef struct {
    CpuConv of; /* y is the gradient of the output */
    const CpuMicro *micro;
    int taps, phases_x, phases, panels;
    bool gathers;
    int task_taps, groups; /* taps in a task; tasks that share a phase of a panel */
    int chunks;
    size_t floats; /* of the packed gradient */
    float *gradient, *partial;
    bool adds;
    float *scratch; /* of worker 0 */
    size_t worker_floats;
} Gradient;

typedef struct {
    const Gradient *g;
    CpuPixelBlock block;
    int panel, width, first_tap, last_tap; /* of the phase */
    float *rows;                           /* of the first tap of the phase, in the gradient */
    bool adds, started[MAX_TASK_TAPS];
    float *dz, *gathered;
} Task;

/* ---- the cut ---- */

static int largest_phase_taps(const PixOp *op)
{
    return cpu_phase_row(op, 0, 1).taps * cpu_phase_column(op, 0, 1).taps;
}

static Gradient gradient_of(const PixDevice *device, const CpuConv *of)
{
    Gradient g = {.of = *of, .micro = cpu_device(device)->micro};
    const PixOp *op = &g.of.op;
    int phases_y, phase_taps = largest_phase_taps(op), c = of->x.c;
    cpu_phases(op, &phases_y, &g.phases_x);
    g.phases = phases_y * g.phases_x;
    g.taps = op->conv.kh * op->conv.kw;
    g.panels = cpu_panels(op->conv.oc);
    g.floats = cpu_weights_floats(op, c);
    g.gathers = c < FEW_CHANNELS && phase_taps > 1 && phase_taps * c <= TASK_ROWS;
    g.task_taps = g.gathers ? phase_taps : CLAMP(TASK_ROWS / c, 1, MAX_TASK_TAPS);
    g.groups = (phase_taps + g.task_taps - 1) / g.task_taps;
    size_t pixels = (size_t)of->y.n * (size_t)of->y.h * (size_t)of->y.w / (size_t)g.phases;
    size_t most = pixels / (CPU_PIXELS * CHUNK_BLOCKS);
    int wanted = WANTED_TASKS / (g.panels * g.phases * g.groups);
    g.chunks = (int)CLAMP((size_t)wanted, 1, MAX(most, 1));
    g.worker_floats = CPU_PIXELS * (CPU_NR + (g.gathers ? TASK_ROWS : 0));
    return g;
}

/* ---- one task ---- */

/* The panel's channels of each pixel of the block, one after the other. */
static void copy_panel(Task *t)
{
    int first = t->panel * CPU_NR, count = MIN(t->g->of.y.c - first, t->width);
    for (int i = 0; i < t->block.count; i++) {
        float *to = t->dz + i * t->width;
        cpu_copy_floats(to, t->block.pixels[i].out + first, count);
        memset(to + count, 0, (size_t)(t->width - count) * sizeof *to);
    }
}

static void sum_tap(Task *t, int tap)
{
    const float *from[CPU_PIXELS], *a[CPU_PIXELS], *b[CPU_PIXELS];
    int columns = t->block.column.taps, c = t->g->of.x.c, k = 0;
    if (cpu_meet(&t->block, tap / columns, tap % columns, from) == 0)
        return;
    for (int i = 0; i < t->block.count; i++)
        if (from[i]) {
            a[k] = from[i];
            b[k++] = t->dz + i * t->width;
        }
    bool *started = &t->started[tap - t->first_tap];
    t->g->micro->outer(c, t->width, k, a, b, t->rows + (ptrdiff_t)tap * c * t->width, t->width,
                       t->adds || *started);
    *started = true;
}

static void gather_tap(Task *t, int tap, int rows)
{
    const float *from[CPU_PIXELS];
    int columns = t->block.column.taps, c = t->g->of.x.c;
    cpu_meet(&t->block, tap / columns, tap % columns, from);
    for (int i = 0; i < t->block.count; i++) {
        float *to = t->gathered + i * rows + tap * c;
        if (from[i])
            cpu_copy_floats(to, from[i], c);
        else
            memset(to, 0, (size_t)c * sizeof *to);
    }
}

/* All taps of the phase as one. */
static void sum_gathered(Task *t)
{
    const float *a[CPU_PIXELS], *b[CPU_PIXELS];
    int rows = t->last_tap * t->g->of.x.c;
    for (int tap = 0; tap < t->last_tap; tap++)
        gather_tap(t, tap, rows);
    for (int i = 0; i < t->block.count; i++) {
        a[i] = t->gathered + i * rows;
        b[i] = t->dz + i * t->width;
    }
    t->g->micro->outer(rows, t->width, t->block.count, a, b, t->rows, t->width,
                       t->adds || t->started[0]);
    t->started[0] = true;
}

static void sum_blocks(Task *t, size_t first, size_t last)
{
    for (size_t at = first; at < last; at += CPU_PIXELS) {
        cpu_find_pixels(&t->block, at, MIN(at + CPU_PIXELS, last));
        copy_panel(t);
        if (t->g->gathers)
            sum_gathered(t);
        else
            for (int tap = t->first_tap; tap < t->last_tap; tap++)
                sum_tap(t, tap);
    }
}

/* Taps that met nothing but padding. */
static void clear_rest(const Task *t)
{
    size_t floats = (size_t)t->g->of.x.c * (size_t)t->width;
    for (int tap = t->first_tap; tap < t->last_tap; tap++)
        if (!t->adds && !t->started[t->g->gathers ? 0 : tap - t->first_tap])
            memset(t->rows + (size_t)tap * floats, 0, floats * sizeof(float));
}

static void run_task(void *data, int task, int worker)
{
    const Gradient *g = data;
    const PixOp *op = &g->of.op;
    int panel = task % g->panels, group = task / g->panels % g->groups;
    int phase = task / g->panels / g->groups % g->phases;
    int chunk = task / g->panels / g->groups / g->phases;
    int py = phase / g->phases_x, px = phase % g->phases_x;
    Task t = {.g = g,
              .block = {.conv = &g->of,
                        .row = cpu_phase_row(op, py, g->of.y.h),
                        .column = cpu_phase_column(op, px, g->of.y.w)},
              .panel = panel,
              .width = cpu_panel_width(op->conv.oc, panel),
              .first_tap = group * g->task_taps,
              .adds = g->adds && g->chunks == 1,
              .dz = g->scratch + g->worker_floats * (size_t)worker};
    size_t c = (size_t)g->of.x.c;
    t.last_tap = MIN(t.first_tap + g->task_taps, t.block.row.taps * t.block.column.taps);
    t.gathered = t.dz + CPU_PIXELS * CPU_NR;
    t.rows = (g->chunks == 1 ? g->gradient : g->partial + g->floats * (size_t)chunk) +
             (size_t)g->taps * c * CPU_NR * (size_t)panel +
             (size_t)cpu_first_tap(op, py, px) * c * (size_t)t.width;
    size_t pixels = cpu_phase_pixels(&t.block), chunks = (size_t)g->chunks;
    sum_blocks(&t, pixels * (size_t)chunk / chunks, pixels * (size_t)(chunk + 1) / chunks);
    clear_rest(&t);
}

/* ---- all of them ---- */

static void add_chunks(void *data, int task, int worker)
{
    const Gradient *g = data;
    size_t first = (size_t)task * CPU_KC, last = MIN(first + CPU_KC, g->floats);
    for (size_t i = first; i < last; i++) {
        float sum = g->adds ? g->gradient[i] : 0;
        for (int chunk = 0; chunk < g->chunks; chunk++)
            sum += g->partial[(size_t)chunk * g->floats + i];
        g->gradient[i] = sum;
    }
}

static void sum_outer(const PixDevice *device, const CpuConv *conv, float *gradient, bool adds,
                      float *scratch)
{
    Gradient g = gradient_of(device, conv);
    CpuPool *pool = cpu_device(device)->pool;
    g.gradient = gradient;
    g.adds = adds;
    g.partial = scratch;
    g.scratch = scratch + (g.chunks > 1 ? g.floats * (size_t)g.chunks : 0);
    cpu_parallel(pool, g.panels * g.groups * g.phases * g.chunks, run_task, &g);
    if (g.chunks > 1)
        cpu_parallel(pool, (int)((g.floats + CPU_KC - 1) / CPU_KC), add_chunks, &g);
}

static size_t sum_outer_floats(const PixDevice *device, const CpuConv *conv)
{
    Gradient g = gradient_of(device, conv);
    size_t threads = (size_t)cpu_pool_threads(cpu_device(device)->pool);
    return (g.chunks > 1 ? g.floats * (size_t)g.chunks : 0) + g.worker_floats * threads;
}

/* Whether the adjoint's gradient, with the roles of input and output exchanged, is faster. */
static bool prefers_adjoint(const CpuConv *conv)
{
    return conv->op.conv.pad.mode == PIX_PAD_ZERO && conv->op.conv.oc < FEW_CHANNELS &&
           conv->x.c > conv->op.conv.oc;
}

static CpuConv adjoint_of(const CpuConv *conv)
{
    return (CpuConv){.op = cpu_adjoint(&conv->op, conv->x.c), .x = conv->y, .y = conv->x};
}

void cpu_conv_weight_gradient(const PixDevice *device, const CpuConv *conv, float *gradient,
                              bool adds, float *scratch)
{
    if (!prefers_adjoint(conv)) {
        sum_outer(device, conv, gradient, adds, scratch);
        return;
    }
    CpuConv adjoint = adjoint_of(conv);
    sum_outer(device, &adjoint, scratch, false,
              scratch + cpu_weights_floats(&adjoint.op, adjoint.x.c));
    cpu_weights_transpose(device, &conv->op, conv->x.c, scratch, gradient, adds);
}

size_t cpu_conv_weight_gradient_floats(const PixDevice *device, const CpuConv *conv)
{
    if (!prefers_adjoint(conv))
        return sum_outer_floats(device, conv);
    CpuConv adjoint = adjoint_of(conv);
    return cpu_weights_floats(&adjoint.op, adjoint.x.c) + sum_outer_floats(device, &adjoint);
}
