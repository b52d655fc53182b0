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

#include "cpu-conv-task.h"

static const float *weights_at(const CpuConvTask *t, int panel, int k)
{
    const CpuConvRun *conv = t->conv;
    int first = t->first_tap * conv->of.x.c;
    return conv->of.weights + cpu_weights_in_phase(conv->columns, panel, first, t->rows, k);
}

/* What will be multiplied by after @panel in the run from @k on; NULL: what is in the cache. */
static const float *weights_after(const CpuConvTask *t, int panel, int k)
{
    const CpuPixelBlock *last = &t->blocks[t->n_blocks - 1];
    if (t->conv->of.transposes)
        return NULL;
    if (panel + 1 < t->last_panel)
        return weights_at(t, panel + 1, k);
    for (k += CPU_KC; k < t->rows; k += CPU_KC)
        if (cpu_conv_meets(t, last, k))
            return weights_at(t, t->first_panel, k);
    return NULL;
}

/* What the zeros of a run's units make of its sums. */
static void count_zeros(CpuConvTask *t, int block, int k)
{
    const CpuUnits *units = t->conv->of.units;
    int first = t->first_panel * CPU_NR, last = MIN(t->last_panel * CPU_NR, units->columns);
    const int32_t *zeros =
        units->zeros + ((ptrdiff_t)t->phase * units->runs + k / CPU_KC) * units->columns;
    for (int i = first; i < last; i++)
        t->zeros[block][i - first] += zeros[i];
}

/* Multiplies the rows of all blocks that meet anything by @panel. */
static void multiply(CpuConvTask *t, int panel, int k, int count)
{
    const CpuConvRun *conv = t->conv;
    int width = cpu_panel_width(conv->of.op.conv.oc, panel), i = panel - t->first_panel;
    const float *weights =
        conv->of.transposes ? t->w + i * CPU_KC * CPU_NR : weights_at(t, panel, k);
    const float *after = weights_after(t, panel, k);
    int share = after ? count * width / t->n_meeting / CPU_LINE * CPU_LINE : 0;
    for (int j = 0; j < t->n_blocks; j++) {
        if (!t->meets[j])
            continue;
        conv->product(t->blocks[j].count, width, count, cpu_conv_rows(t, j), weights,
                      cpu_conv_sums(t, j) + i * CPU_NR, conv->ldc, t->started[j],
                      (CpuNext){after, share});
        after = after ? after + share : NULL;
    }
}

static void transpose(CpuConvTask *t, int k, int count)
{
    const CpuConvRun *conv = t->conv;
    for (int p = t->first_panel; p < t->last_panel; p++)
        cpu_weights_adjoint(conv->micro, &conv->of.op, conv->of.x.c, conv->of.weights, p,
                            t->first_tap * conv->of.x.c + k, count,
                            t->w + (p - t->first_panel) * CPU_KC * CPU_NR);
}

static void sum_run(CpuConvTask *t, int k, int count)
{
    t->n_meeting = 0;
    for (int i = 0; i < t->n_blocks; i++) {
        t->meets[i] = cpu_conv_gather(t, i, k, count);
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

/* Finds the pixels of blocks @first on; there may be none. */
static void find_blocks(CpuConvTask *t, CpuPhase row, CpuPhase column, int first)
{
    const CpuConvRun *conv = t->conv;
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
    const CpuConvRun *conv = data;
    const PixOp *op = &conv->of.op;
    int range = task % conv->ranges, phase = task / conv->ranges % conv->phases;
    int group = task / conv->ranges / conv->phases;
    int py = phase / conv->phases_x, px = phase % conv->phases_x;
    CpuPhase row = cpu_phase_row(op, py, conv->of.y.h);
    CpuPhase column = cpu_phase_column(op, px, conv->of.y.w);
    CpuConvTask t;
    t.conv = conv;
    t.n_blocks = 0;
    memset(t.started, 0, sizeof t.started);
    memset(t.zeros, 0, sizeof t.zeros);
    t.phase = phase;
    t.part = phase * conv->ranges + range;
    t.first_panel = group * conv->group_panels;
    t.last_panel = MIN(t.first_panel + conv->group_panels, cpu_panels(op->conv.oc));
    t.first_tap = cpu_first_tap(op, py, px);
    t.rows = row.taps * column.taps * conv->of.x.c;
    t.a = conv->scratch + conv->worker_floats * (size_t)worker;
    t.c = t.a + (ptrdiff_t)conv->task_blocks * CPU_MC * CPU_PITCH;
    t.w = t.c + (ptrdiff_t)conv->task_blocks * CPU_MC * conv->ldc;
    find_blocks(&t, row, column, range * conv->task_blocks);
    for (int k = 0; k < t.rows; k += CPU_KC)
        sum_run(&t, k, MIN(CPU_KC, t.rows - k));
    cpu_conv_store(&t);
}

void cpu_conv_run(const PixDevice *device, const CpuConv *of, float *scratch)
{
    if (cpu_conv_is_narrow(of)) {
        cpu_conv_run_narrow(device, of, scratch);
        return;
    }
    CpuConvRun conv = cpu_conv_cut(device, of);
    conv.scratch = scratch;
    cpu_parallel(cpu_device(device)->pool, conv.groups * conv.phases * conv.ranges, run_task,
                 &conv);
}
