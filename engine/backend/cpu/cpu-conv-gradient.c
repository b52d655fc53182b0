/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The gradient of a convolution's weights: for each tap the sum, over all output pixels, of the
 * outer product of the input pixel that it meets and the output's gradient.
 *
 * A task owns a slice of the input channels of some taps of some panels, and no sum is shared between
 * tasks. It goes over the pixels in blocks: lists for each tap the pixels that meet no padding, and
 * adds up their outer products right in the packed gradient. Neighbouring taps meet the same pixels,
 * which are then in the cache. Of inputs with few channels all taps are gathered first, so that the
 * tiles of the micro-kernel are full.
 *
 * Where that makes too few tasks for many threads, the pixels are cut into chunks, whose sums are
 * added up at the end; where the sums are too many for that, tasks are made smaller. The cut depends
 * on the layer alone, and so do the results.
 */
#include "cpu-conv.h"

/* The most taps, input channels and sums of a task. The sums stay in a core's L2. */
#define TASK_TAPS 4
#define TASK_SLICE 256
#define TASK_FLOATS (128 * 1024)
/* Fewer tasks than this leave threads idle. */
#define WANTED_TASKS 16
/* A chunk has at least so many blocks of pixels; a gradient in chunks at most so many floats. */
#define CHUNK_BLOCKS 2
#define CHUNK_FLOATS (256 * 1024)
/* A gradient of more floats is unlikely to be in a cache when somebody reads it. */
#define STREAM_FLOATS (128 * 1024)
/* The most rows of a gathered input. */
#define GATHERED_ROWS 256

typedef struct {
    CpuConv of; /* y is the gradient of the output */
    const CpuMicro *micro;
    int phases_x, phases;
    bool gathers;
    int task_taps, tap_groups; /* taps in a task; and so on */
    int slice, slices;
    int task_panels, panel_groups;
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
    int first_tap, last_tap; /* of the phase */
    int c, rows;             /* the slice; rows of a tap */
    int first_panel, last_panel;
    int phase_tap;   /* taps of earlier phases */
    float *gradient; /* or a chunk's */
    bool adds, streams, started[TASK_TAPS];
    float *last_panel_pixels, *gathered; /* of the block: an incomplete panel; the input */
} Task;

/* ---- the cut ---- */

static int divide_up(int a, int b)
{
    return (a + b - 1) / b;
}

static int tasks(const Gradient *g)
{
    return g->panel_groups * g->slices * g->tap_groups * g->phases;
}

static int phase_taps(const Gradient *g)
{
    return cpu_phase_row(&g->of.op, 0, 1).taps * cpu_phase_column(&g->of.op, 0, 1).taps;
}

static void count_tasks(Gradient *g)
{
    g->tap_groups = divide_up(phase_taps(g), g->task_taps);
    g->slices = divide_up(g->of.x.c, g->slice);
    g->panel_groups = divide_up(cpu_panels(g->of.op.conv.oc), g->task_panels);
}

/* Tasks as large as their sums allow. */
static void cut_large(Gradient *g)
{
    int taps = phase_taps(g), columns = cpu_phase_column(&g->of.op, 0, 1).taps, c = g->of.x.c;
    g->gathers = c < CPU_FEW_CHANNELS && taps > 1 && taps * c <= GATHERED_ROWS;
    g->task_taps = g->gathers ? taps : CLAMP(taps <= TASK_TAPS ? taps : columns, 1, TASK_TAPS);
    g->slice = MIN(c, TASK_SLICE);
    g->task_panels =
        CLAMP(TASK_FLOATS / (g->task_taps * g->slice * CPU_NR), 1, cpu_panels(g->of.op.conv.oc));
    count_tasks(g);
}

/* Chunks, and then smaller tasks, until there are enough. */
static void cut_small(Gradient *g)
{
    size_t pixels = (size_t)g->of.y.n * (size_t)g->of.y.h * (size_t)g->of.y.w / (size_t)g->phases;
    size_t most = g->floats <= CHUNK_FLOATS ? pixels / (CPU_PIXELS * CHUNK_BLOCKS) : 1;
    g->chunks = (int)CLAMP((size_t)(WANTED_TASKS / tasks(g)), 1, MAX(most, 1));
    while (tasks(g) * g->chunks < WANTED_TASKS) {
        if (g->slice > CPU_NR && g->slice >= g->task_panels * CPU_NR && !g->gathers)
            g->slice = divide_up(g->slice, 2);
        else if (g->task_panels > 1)
            g->task_panels = divide_up(g->task_panels, 2);
        else
            break;
        count_tasks(g);
    }
}

static Gradient gradient_of(const PixDevice *device, const CpuConv *of)
{
    Gradient g = {.of = *of,
                  .micro = cpu_device(device)->micro,
                  .floats = cpu_weights_floats(&of->op, of->x.c)};
    int phases_y;
    cpu_phases(&of->op, &phases_y, &g.phases_x);
    g.phases = phases_y * g.phases_x;
    cut_large(&g);
    cut_small(&g);
    g.worker_floats = CPU_PIXELS * (CPU_NR + (g.gathers ? GATHERED_ROWS : 0));
    return g;
}

/* ---- one task ---- */

/* Where the task's sums of a panel and a tap of the phase lie, from row @first on. @count: (inout): as
 * that of cpu_weights_at(). */
static float *sums(const Task *t, int panel, int tap, int first, int *count)
{
    int c = t->g->of.x.c, row = (t->phase_tap + tap) * c + t->c + first;
    return t->gradient + cpu_weights_at(&t->g->of.op, c, panel, row, count);
}

/* A panel that has columns without a channel is copied, with zeros there. */
static bool incomplete(const Task *t, int panel)
{
    return (panel + 1) * CPU_NR > t->g->of.y.c;
}

static void copy_last_panel(Task *t)
{
    int panel = t->last_panel - 1, first = panel * CPU_NR, count = t->g->of.y.c - first;
    int width = cpu_panel_width(t->g->of.y.c, panel);
    if (!incomplete(t, panel))
        return;
    for (int i = 0; i < t->block.count; i++) {
        float *to = t->last_panel_pixels + i * width;
        cpu_copy_floats(to, t->block.pixels[i].out + first, count);
        memset(to + count, 0, (size_t)(width - count) * sizeof *to);
    }
}

static CpuResult result(const Task *t, bool started)
{
    return t->adds || started ? CPU_ADD : t->streams ? CPU_STREAM : CPU_SET;
}

/* Adds the outer products of rows @a, one for each of @pixels of the block, and the panels. */
static void add_products(Task *t, int tap, int rows, int k, const float *const *a,
                         const int *pixels)
{
    const float *b[CPU_PIXELS], *later[CPU_PIXELS];
    bool *started = &t->started[tap - t->first_tap];
    for (int panel = t->first_panel; panel < t->last_panel; panel++) {
        int width = cpu_panel_width(t->g->of.op.conv.oc, panel);
        for (int i = 0; i < k; i++)
            b[i] = incomplete(t, panel) ? t->last_panel_pixels + pixels[i] * width
                                        : t->block.pixels[pixels[i]].out + panel * CPU_NR;
        for (int first = 0, count; first < rows; first += count) {
            count = rows - first;
            float *to = sums(t, panel, tap, first, &count);
            for (int i = 0; i < k && first > 0; i++)
                later[i] = a[i] + first;
            t->g->micro->outer(count, width, k, first > 0 ? later : a, b, to, width,
                               result(t, *started));
        }
    }
    *started = true;
}

static void sum_tap(Task *t, int tap)
{
    const float *from[CPU_PIXELS], *a[CPU_PIXELS];
    int pixels[CPU_PIXELS], columns = t->block.column.taps, k = 0;
    if (cpu_meet(&t->block, tap / columns, tap % columns, from) == 0)
        return;
    for (int i = 0; i < t->block.count; i++)
        if (from[i]) {
            a[k] = from[i] + t->c;
            pixels[k++] = i;
        }
    add_products(t, tap, t->rows, k, a, pixels);
}

/* All taps of the phase as one. */
static void sum_gathered(Task *t)
{
    const float *a[CPU_PIXELS];
    int pixels[CPU_PIXELS], rows = t->last_tap * t->g->of.x.c;
    cpu_gather_taps(&t->block, t->gathered, rows);
    for (int i = 0; i < t->block.count; i++) {
        a[i] = t->gathered + i * rows;
        pixels[i] = i;
    }
    add_products(t, 0, rows, t->block.count, a, pixels);
}

static void sum_blocks(Task *t, size_t first, size_t last)
{
    for (size_t at = first; at < last; at += CPU_PIXELS) {
        cpu_find_pixels(&t->block, at, MIN(at + CPU_PIXELS, last));
        copy_last_panel(t);
        if (t->g->gathers)
            sum_gathered(t);
        else
            for (int tap = t->first_tap; tap < t->last_tap; tap++)
                sum_tap(t, tap);
    }
}

/* Taps that met nothing but padding have sums of nothing. */
static void clear_rest(const Task *t)
{
    for (int tap = t->first_tap; tap < t->last_tap && !t->adds; tap++)
        for (int panel = t->first_panel; panel < t->last_panel; panel++) {
            int width = cpu_panel_width(t->g->of.op.conv.oc, panel);
            if (t->started[t->g->gathers ? 0 : tap - t->first_tap])
                continue;
            for (int first = 0, count; first < t->rows; first += count) {
                count = t->rows - first;
                float *to = sums(t, panel, tap, first, &count);
                t->g->micro->outer(count, width, 0, NULL, NULL, to, width, result(t, false));
            }
        }
}

static void run_task(void *data, int task, int worker)
{
    const Gradient *g = data;
    const PixOp *op = &g->of.op;
    int panels = task % g->panel_groups, slice = task / g->panel_groups % g->slices;
    int taps = task / g->panel_groups / g->slices % g->tap_groups;
    int phase = task / g->panel_groups / g->slices / g->tap_groups % g->phases;
    int py = phase / g->phases_x, px = phase % g->phases_x, chunk = task / tasks(g);
    Task t = {.g = g,
              .block = {.conv = &g->of,
                        .row = cpu_phase_row(op, py, g->of.y.h),
                        .column = cpu_phase_column(op, px, g->of.y.w)},
              .first_tap = taps * g->task_taps,
              .c = slice * g->slice,
              .first_panel = panels * g->task_panels,
              .phase_tap = cpu_first_tap(op, py, px),
              .gradient = g->chunks == 1 ? g->gradient : g->partial + g->floats * (size_t)chunk,
              .adds = g->adds && g->chunks == 1,
              .last_panel_pixels = g->scratch + g->worker_floats * (size_t)worker};
    t.last_tap = MIN(t.first_tap + g->task_taps, t.block.row.taps * t.block.column.taps);
    t.rows = MIN(g->slice, g->of.x.c - t.c);
    t.last_panel = MIN(t.first_panel + g->task_panels, cpu_panels(op->conv.oc));
    t.gathered = t.last_panel_pixels + CPU_PIXELS * CPU_NR;
    size_t pixels = cpu_phase_pixels(&t.block), chunks = (size_t)g->chunks;
    t.streams =
        pixels <= CPU_PIXELS && g->floats >= STREAM_FLOATS && (uintptr_t)g->gradient % 64 == 0;
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
    cpu_parallel(pool, tasks(&g) * g.chunks, run_task, &g);
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
    return conv->op.conv.pad.mode == PIX_PAD_ZERO && conv->op.conv.oc < CPU_FEW_CHANNELS &&
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
