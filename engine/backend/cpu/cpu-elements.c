/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* In plain C: the specification of cpu-elements-simd.h. */
#include "cpu-elements.h"

#include "cpu-private.h"

void cpu_finish(const CpuFinish *f, const float *x, float *y, int count)
{
    for (int i = 0; i < count; i++) {
        float sum = x[i];
        if (f->scale)
            sum = sum * f->scale[i] + f->shift[i];
        else if (f->shift)
            sum += f->shift[i];
        y[i] = f->adds ? y[i] + sum : sum;
    }
    cpu_activate(f->activation, y, y, (size_t)count);
}

void cpu_sum(const float *v, ptrdiff_t v_pixel, const float *x, ptrdiff_t x_pixel, int pixels,
             int count, CpuSum *sums)
{
    for (int c = 0; c < count; c++) {
        CpuSum sum = {0};
        for (int i = 0; i < pixels; i++) {
            double vi = (double)v[i * v_pixel + c];
            sum.v += vi;
            sum.vx += vi * (double)x[i * x_pixel + c];
        }
        sums[c].v += sum.v;
        sums[c].vx += sum.vx;
    }
}
