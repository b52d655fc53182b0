/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Convolution and transposed convolution as products of gathered pixels and packed weights.
 *
 * A task is some blocks of output pixels of one phase times a group of weight panels. It goes through
 * what a pixel sums (all input channels of the first tap, then of the next) in runs of CPU_KC: gathers
 * the run for every pixel of a block into rows (padding, reflection and stride happen here) and
 * multiplies them by each panel of the group. At the end scale, shift and activation are applied on
 * the way to the output. A run in which no pixel meets anything but padding is left out, so that its
 * weights are never read: on 2x2 maps that is most of a 4x4 kernel.
 *
 * The more blocks, the more often a run's weights are used while they are in the cache; the more
 * panels, the more often gathered pixels. Weights of the adjoint are transposed run by run.
 *
 * Every output is the sum of the same products in the same order whatever the blocks, groups and
 * threads.
 */
#include <string.h>

#include "cpu-conv.h"

#define MAX_BLOCKS 5
#define MAX_PANELS 8
#define LINE 16 /* floats of the cache */
/* Fewer tasks than this for each thread leave threads idle at the end. */
#define TASKS_PER_THREAD 2

typedef struct {
    CpuConv of;
    const CpuMicro *micro;
    CpuProduct product;
    int taps; /* of the whole kernel */
    int phases_x, phases;
    int block_pixels, blocks; /* of the largest phase */
    int task_blocks, ranges;  /* blocks in a task; tasks that share a phase of a group */
    int group_panels, groups;
    int ldc;        /* floats in a row of sums */
    float *scratch; /* of worker 0 */
    size_t worker_floats;
} Conv;

/* What one task works on. */
typedef struct {
    const Conv *conv;
    int n_blocks;
    CpuPixelBlock blocks[MAX_BLOCKS];
    bool started[MAX_BLOCKS], meets[MAX_BLOCKS]; /* meets: anything but padding, in this run */
    int n_meeting;
    int32_t zeros[MAX_BLOCKS][MAX_PANELS * CPU_NR]; /* those of the units in the sums */
    int first_panel, last_panel;
    int phase, part;
    int first_tap;    /* taps of earlier phases */
    float *a, *c, *w; /* gathered pixels; sums of all blocks; transposed weights */
} Task;

/* ---- the cut ---- */

static size_t largest_phase(const CpuConv *of, int phases_y, int phases_x)
{
    size_t rows = 0, columns = 0;
    for (int i = 0; i < phases_y; i++)
        rows = MAX(rows, (size_t)cpu_phase_row(&of->op, i, of->y.h).count);
    for (int i = 0; i < phases_x; i++)
        columns = MAX(columns, (size_t)cpu_phase_column(&of->op, i, of->y.w).count);
    return (size_t)of->y.n * rows * columns;
}

static int divide_up(int a, int b)
{
    return (a + b - 1) / b;
}

/* How the work is cut. Depends on the layer and the number of threads; the results do not. */
static void cut(Conv *conv, int threads)
{
    int panels = cpu_panels(conv->of.op.conv.oc), phases_y;
    cpu_phases(&conv->of.op, &phases_y, &conv->phases_x);
    conv->phases = phases_y * conv->phases_x;
    size_t pixels = MAX(largest_phase(&conv->of, phases_y, conv->phases_x), 1);
    conv->blocks = (int)((pixels + CPU_MC - 1) / CPU_MC);
    conv->block_pixels = (int)((pixels + (size_t)conv->blocks - 1) / (size_t)conv->blocks);
    conv->task_blocks = MIN(conv->blocks, MAX_BLOCKS);
    conv->group_panels = MIN(panels, MAX_PANELS);
    for (;;) {
        conv->ranges = divide_up(conv->blocks, conv->task_blocks);
        conv->groups = divide_up(panels, conv->group_panels);
        bool enough =
            conv->phases * conv->groups >= divide_up(threads * TASKS_PER_THREAD, conv->ranges);
        if (enough || (conv->task_blocks == 1 && conv->group_panels == 1))
            break;
        if (conv->group_panels >= conv->task_blocks)
            conv->group_panels = divide_up(conv->group_panels, 2);
        else
            conv->task_blocks = divide_up(conv->task_blocks, 2);
    }
}

static Conv conv_of(const PixDevice *device, const CpuConv *of)
{
    Conv conv = {
        .of = *of, .micro = cpu_device(device)->micro, .taps = of->op.conv.kh * of->op.conv.kw};
    conv.product = of->units ? of->units->product : conv.micro->product;
    cut(&conv, CPU_CUT_THREADS);
    conv.ldc = conv.group_panels * CPU_NR;
    conv.worker_floats = (size_t)conv.task_blocks * CPU_MC * (CPU_PITCH + (size_t)conv.ldc) +
                         (of->transposes ? (size_t)conv.ldc * CPU_KC : 0);
    return conv;
}

size_t cpu_conv_run_floats(const PixDevice *device, const CpuConv *of)
{
    if (cpu_conv_is_narrow(of))
        return cpu_conv_run_narrow_floats(device, of);
    Conv conv = conv_of(device, of);
    return conv.worker_floats * (size_t)cpu_pool_threads(cpu_device(device)->pool);
}

/* ---- one task ---- */

static inline float *rows_of(const Task *t, int block)
{
    return t->a + (ptrdiff_t)block * CPU_MC * CPU_PITCH;
}

static inline float *sums(const Task *t, int block)
{
    return t->c + (ptrdiff_t)block * CPU_MC * t->conv->ldc;
}

/* Copies @count channels from @c on of the pixels of one tap into columns @column on of the rows. */
static void gather_tap(const Task *t, int block, const float *const *from, int c, int count,
                       int column)
{
    for (int i = 0; i < t->blocks[block].count; i++) {
        float *to = rows_of(t, block) + i * CPU_PITCH + column;
        if (from[i])
            cpu_copy_input(&t->conv->of, to, from[i] + c, count);
        else
            memset(to, t->conv->of.units ? t->conv->of.units->padding : 0,
                   (size_t)count * sizeof *to);
    }
}

/* Fills the rows of block @index with @count values from the @k-th on. Returns: whether any is not padding. */
static bool gather(const Task *t, int index, int k, int count)
{
    const CpuPixelBlock *block = &t->blocks[index];
    const float *from[CPU_MC];
    int channels = t->conv->of.x.c, columns = block->column.taps;
    bool any = false;
    if (channels < CPU_FEW_CHANNELS && count == block->row.taps * columns * channels) {
        cpu_gather_taps(block, rows_of(t, index), CPU_PITCH);
        return true;
    }
    for (int at = 0; at < count;) {
        int tap = (k + at) / channels, c = (k + at) % channels;
        int run = MIN(channels - c, count - at);
        any |= cpu_meet(block, tap / columns, tap % columns, from) > 0;
        gather_tap(t, index, from, c, run, at);
        at += run;
    }
    return any;
}

/* Whether a pixel of @block meets anything but padding in the run from the @k-th value on. */
static bool meets(const Task *t, const CpuPixelBlock *block, int k)
{
    const float *from[CPU_MC];
    int channels = t->conv->of.x.c, columns = block->column.taps;
    int last = MIN(k + CPU_KC, block->row.taps * columns * channels) - 1;
    for (int tap = k / channels; tap <= last / channels; tap++)
        if (cpu_meet(block, tap / columns, tap % columns, from) > 0)
            return true;
    return false;
}

static const float *weights_at(const Task *t, int panel, int k)
{
    const Conv *conv = t->conv;
    size_t channels = (size_t)conv->of.x.c, all = (size_t)conv->taps * channels;
    size_t at = (size_t)t->first_tap * channels + (size_t)k;
    return conv->of.weights + (size_t)panel * CPU_NR * all +
           at * (size_t)cpu_panel_width(conv->of.op.conv.oc, panel);
}

/* What will be multiplied by after @panel in the run from @k on; NULL: what is in the cache. */
static const float *weights_after(const Task *t, int panel, int k)
{
    const CpuPixelBlock *last = &t->blocks[t->n_blocks - 1];
    int all = last->row.taps * last->column.taps * t->conv->of.x.c;
    if (t->conv->of.transposes)
        return NULL;
    if (panel + 1 < t->last_panel)
        return weights_at(t, panel + 1, k);
    for (k += CPU_KC; k < all; k += CPU_KC)
        if (meets(t, last, k))
            return weights_at(t, t->first_panel, k);
    return NULL;
}

/* What the zeros of a run's units make of its sums. */
static void count_zeros(Task *t, int block, int k)
{
    const CpuUnits *units = t->conv->of.units;
    int first = t->first_panel * CPU_NR, last = MIN(t->last_panel * CPU_NR, units->columns);
    const int32_t *zeros =
        units->zeros + ((ptrdiff_t)t->phase * units->runs + k / CPU_KC) * units->columns;
    for (int i = first; i < last; i++)
        t->zeros[block][i - first] += zeros[i];
}

/* Multiplies the rows of all blocks that meet anything by @panel. */
static void multiply(Task *t, int panel, int k, int count)
{
    const Conv *conv = t->conv;
    int width = cpu_panel_width(conv->of.op.conv.oc, panel), i = panel - t->first_panel;
    const float *weights =
        conv->of.transposes ? t->w + i * CPU_KC * CPU_NR : weights_at(t, panel, k);
    const float *after = weights_after(t, panel, k);
    int share = after ? count * width / t->n_meeting / LINE * LINE : 0;
    for (int j = 0; j < t->n_blocks; j++) {
        if (!t->meets[j])
            continue;
        conv->product(t->blocks[j].count, width, count, rows_of(t, j), weights,
                      sums(t, j) + i * CPU_NR, conv->ldc, t->started[j], (CpuNext){after, share});
        after = after ? after + share : NULL;
    }
}

static void transpose(Task *t, int k, int count)
{
    const Conv *conv = t->conv;
    for (int p = t->first_panel; p < t->last_panel; p++)
        cpu_weights_adjoint(conv->micro, &conv->of.op, conv->of.x.c, conv->of.weights, p,
                            t->first_tap * conv->of.x.c + k, count,
                            t->w + (p - t->first_panel) * CPU_KC * CPU_NR);
}

static void sum_run(Task *t, int k, int count)
{
    t->n_meeting = 0;
    for (int i = 0; i < t->n_blocks; i++) {
        t->meets[i] = gather(t, i, k, count);
        t->n_meeting += t->meets[i];
    }
    if (t->n_meeting == 0)
        return;
    if (t->conv->of.transposes)
        transpose(t, k, count);
    for (int p = t->first_panel; p < t->last_panel; p++)
        multiply(t, p, k, count);
    for (int i = 0; i < t->n_blocks; i++)
        if (t->meets[i]) {
            t->started[i] = true;
            if (t->conv->of.units && t->conv->of.units->zeros)
                count_zeros(t, i, k);
        }
}

/* Adds the sums of a block to those of its part. */
static void count_part(const Task *t, int block, int first, int count)
{
    const CpuConv *of = &t->conv->of;
    double *part = of->parts + (ptrdiff_t)t->part * 2 * of->y.c + first;
    CpuSum counted[MAX_PANELS * CPU_NR] = {{0}};
    t->conv->micro->sum(sums(t, block), t->conv->ldc, sums(t, block), t->conv->ldc,
                        t->blocks[block].count, count, counted);
    for (int i = 0; i < count; i++) {
        part[i] += counted[i].v;
        part[of->y.c + i] += counted[i].vx;
    }
}

static void clear_part(const Task *t)
{
    const CpuConv *of = &t->conv->of;
    int first = t->first_panel * CPU_NR, count = MIN(t->last_panel * CPU_NR, of->y.c) - first;
    if (!of->parts)
        return;
    double *part = of->parts + (ptrdiff_t)t->part * 2 * of->y.c + first;
    memset(part, 0, (size_t)count * sizeof *part);
    memset(part + of->y.c, 0, (size_t)count * sizeof *part);
}

static void store(const Task *t, int block)
{
    const Conv *conv = t->conv;
    int first = t->first_panel * CPU_NR;
    int count = MIN(t->last_panel * CPU_NR, conv->of.y.c) - first;
    CpuFinish finish = cpu_conv_finish_of(&conv->of, first);
    if (conv->of.units && conv->of.units->zeros)
        finish.zeros = t->zeros[block];
    for (int i = 0; i < t->blocks[block].count; i++) {
        float *sum = sums(t, block) + (ptrdiff_t)i * conv->ldc;
        if (!t->started[block]) /* all padding */
            memset(sum, 0, (size_t)count * sizeof *sum);
        if (finish.zeros)
            finish.factor = conv->of.units->factors[t->blocks[block].pixels[i].n];
        float *out = t->blocks[block].pixels[i].out + first;
        conv->micro->finish(&finish, sum, conv->of.parts ? sum : out, count);
        if (conv->of.parts)
            memcpy(out, sum, (size_t)count * sizeof *out);
    }
    if (conv->of.parts)
        count_part(t, block, first, count);
}

/* Finds the pixels of blocks @first on; there may be none. */
static void find_blocks(Task *t, CpuPhase row, CpuPhase column, int first)
{
    const Conv *conv = t->conv;
    for (int i = 0; i < conv->task_blocks; i++) {
        CpuPixelBlock *block = &t->blocks[i];
        block->conv = &conv->of;
        block->row = row;
        block->column = column;
        size_t at = (size_t)(first + i) * (size_t)conv->block_pixels;
        size_t end = MIN(at + (size_t)conv->block_pixels, cpu_phase_pixels(block));
        if (at >= end)
            break;
        cpu_find_pixels(block, at, end);
        t->n_blocks++;
    }
}

static void run_task(void *data, int task, int worker)
{
    const Conv *conv = data;
    const PixOp *op = &conv->of.op;
    int range = task % conv->ranges, phase = task / conv->ranges % conv->phases;
    int group = task / conv->ranges / conv->phases;
    int py = phase / conv->phases_x, px = phase % conv->phases_x;
    CpuPhase row = cpu_phase_row(op, py, conv->of.y.h);
    CpuPhase column = cpu_phase_column(op, px, conv->of.y.w);
    Task t;
    t.conv = conv;
    t.n_blocks = 0;
    memset(t.started, 0, sizeof t.started);
    memset(t.zeros, 0, sizeof t.zeros);
    t.phase = phase;
    t.part = phase * conv->ranges + range;
    t.first_panel = group * conv->group_panels;
    t.last_panel = MIN(t.first_panel + conv->group_panels, cpu_panels(op->conv.oc));
    t.first_tap = cpu_first_tap(op, py, px);
    t.a = conv->scratch + conv->worker_floats * (size_t)worker;
    t.c = t.a + (ptrdiff_t)conv->task_blocks * CPU_MC * CPU_PITCH;
    t.w = t.c + (ptrdiff_t)conv->task_blocks * CPU_MC * conv->ldc;
    find_blocks(&t, row, column, range * conv->task_blocks);
    int all = row.taps * column.taps * conv->of.x.c;
    for (int k = 0; k < all; k += CPU_KC)
        sum_run(&t, k, MIN(CPU_KC, all - k));
    clear_part(&t);
    for (int i = 0; i < t.n_blocks; i++)
        store(&t, i);
}

CpuFinish cpu_conv_finish_of(const CpuConv *conv, int first)
{
    return (CpuFinish){.scale = conv->scale ? conv->scale + first : NULL,
                       .shift = conv->shift ? conv->shift + first : NULL,
                       .adds = conv->adds,
                       .activation = conv->op.conv.activation};
}

void cpu_conv_finish(const CpuMicro *micro, const CpuConv *conv, int first, int count,
                     const float *sum, float *out)
{
    const CpuFinish finish = cpu_conv_finish_of(conv, first);
    micro->finish(&finish, sum, out, count);
}

int cpu_conv_parts(const PixDevice *device, const CpuConv *of)
{
    if (cpu_conv_is_narrow(of))
        return 0;
    Conv conv = conv_of(device, of);
    return conv.phases * conv.ranges;
}

void cpu_conv_run(const PixDevice *device, const CpuConv *of, float *scratch)
{
    if (cpu_conv_is_narrow(of)) {
        cpu_conv_run_narrow(device, of, scratch);
        return;
    }
    Conv conv = conv_of(device, of);
    conv.scratch = scratch;
    cpu_parallel(cpu_device(device)->pool, conv.groups * conv.phases * conv.ranges, run_task,
                 &conv);
}
