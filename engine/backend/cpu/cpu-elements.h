/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What is done to values one by one, or to the channels of a pixel. */
#ifndef PIX_CPU_ELEMENTS_H
#define PIX_CPU_ELEMENTS_H

#include "op.h"

/** CpuSum: of one channel: sum of v, and of v * x. */
typedef struct {
    double v, vx;
} CpuSum;

/** CpuFinish: y = f(x * scale + shift), or with @adds f(x * scale + shift + y). */
typedef struct {
    const float *scale, *shift; /* one for each value, or NULL; a scale has a shift */
    bool adds;
    PixActivation activation;
} CpuFinish;

/** cpu_finish: @y may be @x. */
void cpu_finish(const CpuFinish *finish, const float *x, float *y, int count);

/** cpu_sum: Adds @pixels pixels of @count channels to @sums, which has one for each channel. In double,
 * pixel by pixel, to the same bits whatever the level. */
void cpu_sum(const float *v, ptrdiff_t v_pixel, const float *x, ptrdiff_t x_pixel, int pixels,
             int count, CpuSum *sums);

#endif
