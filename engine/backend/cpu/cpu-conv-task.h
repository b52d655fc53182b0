/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What the files of direct convolutions share: how the work is cut, and a task of it. */
#ifndef PIX_CPU_CONV_TASK_H
#define PIX_CPU_CONV_TASK_H

#include "cpu-conv.h"

#define CPU_MAX_BLOCKS 5
#define CPU_MAX_PANELS 8

/**
 * CpuConvRun: ranges of blocks of output pixels of a phase times groups of weight panels. Ranges depend
 * on shapes alone, so that sums over them do; groups on the number of threads, too.
 */
typedef struct {
    CpuConv of;
    const CpuMicro *micro;
    CpuProduct product;
    int columns; /* of all panels */
    int phases_x, phases;
    int block_pixels, blocks; /* of the largest phase */
    int task_blocks, ranges;  /* blocks in a task; tasks that share a phase of a group */
    int group_panels, groups;
    int ldc;        /* floats in a row of sums */
    float *scratch; /* of worker 0 */
    size_t worker_floats;
} CpuConvRun;

/** cpu_conv_cut: @conv: its data may be NULL. */
CpuConvRun cpu_conv_cut(const PixDevice *device, const CpuConv *conv);

/** CpuConvTask: one range and one group, and what is worked on. */
typedef struct {
    const CpuConvRun *conv;
    int n_blocks;
    CpuPixelBlock blocks[CPU_MAX_BLOCKS];
    bool started[CPU_MAX_BLOCKS],
        meets[CPU_MAX_BLOCKS]; /* meets: anything but padding, in this run */
    int n_meeting;
    int32_t zeros[CPU_MAX_BLOCKS][CPU_MAX_PANELS * CPU_NR]; /* those of the units in the sums */
    int first_panel, last_panel;
    int phase, part;
    int first_tap;    /* taps of earlier phases */
    int rows;         /* of weights, of the phase */
    float *a, *c, *w; /* gathered pixels; sums of all blocks; transposed weights */
} CpuConvTask;

/** cpu_conv_rows, cpu_conv_sums: of block @block, CPU_PITCH and task->conv->ldc floats apart. */
static inline float *cpu_conv_rows(const CpuConvTask *t, int block)
{
    return t->a + (ptrdiff_t)block * CPU_MC * CPU_PITCH;
}

static inline float *cpu_conv_sums(const CpuConvTask *t, int block)
{
    return t->c + (ptrdiff_t)block * CPU_MC * t->conv->ldc;
}

/**
 * cpu_conv_gather: Fills the rows of block @index with @count values from the @k-th on.
 * Returns: whether any is not padding.
 */
bool cpu_conv_gather(const CpuConvTask *task, int index, int k, int count);

/** cpu_conv_meets: Whether a pixel of @block meets anything but padding in the run from the @k-th value
 * on. */
bool cpu_conv_meets(const CpuConvTask *task, const CpuPixelBlock *block, int k);

/** cpu_conv_store: The sums of all blocks become outputs, and are counted where that is wanted. */
void cpu_conv_store(const CpuConvTask *task);

#endif
