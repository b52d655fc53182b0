/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From sums to output pixels. */
#include <string.h>

#include "cpu-conv-task.h"

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

/* Adds the sums of a block to those of its part. */
static void count_part(const CpuConvTask *t, int block, int first, int count)
{
    const CpuConv *of = &t->conv->of;
    double *part = of->parts + (ptrdiff_t)t->part * 2 * of->y.c + first;
    CpuSum counted[CPU_MAX_PANELS * CPU_NR] = {{0}};
    t->conv->micro->sum(cpu_conv_sums(t, block), t->conv->ldc, cpu_conv_sums(t, block),
                        t->conv->ldc, t->blocks[block].count, count, counted);
    for (int i = 0; i < count; i++) {
        part[i] += counted[i].v;
        part[of->y.c + i] += counted[i].vx;
    }
}

static void clear_part(const CpuConvTask *t)
{
    const CpuConv *of = &t->conv->of;
    int first = t->first_panel * CPU_NR, count = MIN(t->last_panel * CPU_NR, of->y.c) - first;
    if (!of->parts)
        return;
    double *part = of->parts + (ptrdiff_t)t->part * 2 * of->y.c + first;
    memset(part, 0, (size_t)count * sizeof *part);
    memset(part + of->y.c, 0, (size_t)count * sizeof *part);
}

static void store(const CpuConvTask *t, int block)
{
    const CpuConvRun *conv = t->conv;
    int first = t->first_panel * CPU_NR;
    int count = MIN(t->last_panel * CPU_NR, conv->of.y.c) - first;
    CpuFinish finish = cpu_conv_finish_of(&conv->of, first);
    if (conv->of.units && conv->of.units->zeros)
        finish.zeros = t->zeros[block];
    for (int i = 0; i < t->blocks[block].count; i++) {
        float *sum = cpu_conv_sums(t, block) + (ptrdiff_t)i * conv->ldc;
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

void cpu_conv_store(const CpuConvTask *t)
{
    clear_part(t);
    for (int i = 0; i < t->n_blocks; i++)
        store(t, i);
}
