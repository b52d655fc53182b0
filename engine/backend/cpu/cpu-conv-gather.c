/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From input pixels to the rows that are multiplied. */
#include <string.h>

#include "cpu-conv-task.h"

/* Copies @count channels from @c on of the pixels of one tap into columns @column on of the rows. */
static void gather_tap(const CpuConvTask *t, int block, const float *const *from, int c, int count,
                       int column)
{
    const CpuFinish rectify = {.activation = {PIX_ACTIVATION_RELU}};
    const CpuConvRun *conv = t->conv;
    for (int i = 0; i < t->blocks[block].count; i++) {
        float *to = cpu_conv_rows(t, block) + i * CPU_PITCH + column;
        if (from[i] && conv->of.rectifies)
            conv->micro->finish(&rectify, from[i] + c, to, count);
        else if (from[i])
            cpu_copy_floats(to, from[i] + c, count);
        else
            memset(to, conv->of.units ? conv->of.units->padding : 0, (size_t)count * sizeof *to);
    }
}

bool cpu_conv_gather(const CpuConvTask *t, int index, int k, int count)
{
    const CpuPixelBlock *block = &t->blocks[index];
    const float *from[CPU_MC];
    int channels = t->conv->of.x.c, columns = block->column.taps;
    bool any = false;
    if (channels < CPU_FEW_CHANNELS && count == block->row.taps * columns * channels) {
        cpu_gather_taps(block, cpu_conv_rows(t, index), CPU_PITCH);
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

bool cpu_conv_meets(const CpuConvTask *t, const CpuPixelBlock *block, int k)
{
    const float *from[CPU_MC];
    int channels = t->conv->of.x.c, columns = block->column.taps;
    int last = MIN(k + CPU_KC, block->row.taps * columns * channels) - 1;
    for (int tap = k / channels; tap <= last / channels; tap++)
        if (cpu_meet(block, tap / columns, tap % columns, from) > 0)
            return true;
    return false;
}
