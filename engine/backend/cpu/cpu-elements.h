/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What is done to values one by one, or to the channels of a pixel. */
#ifndef PIX_CPU_ELEMENTS_H
#define PIX_CPU_ELEMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "op.h"

/** CpuSum: of one channel: sum of v, and of v * x. */
typedef struct {
    double v, vx;
} CpuSum;

/**
 * CpuFinish: y = f(x * scale + shift), or with @adds f(x * scale + shift + y).
 * @zeros: (nullable): x holds int32, of which these are subtracted, and @factor multiplies the rest.
 */
typedef struct {
    const float *scale, *shift; /* one for each value, or NULL; a scale has a shift */
    const int32_t *zeros;       /* likewise */
    float factor;
    bool adds;
    PixActivation activation;
} CpuFinish;

/** cpu_activate: y = f(x) on @count floats; @y may be @x. tanh is within 3e-7 of the real one. */
void cpu_activate(PixActivation f, const float *x, float *y, size_t count);

/** cpu_activate_backward: dx = dy * f'(x), or dx += it, from @y = f(x); @dx may be @dy. */
void cpu_activate_backward(PixActivation f, const float *y, const float *dy, float *dx,
                           size_t count, bool adds);

/** cpu_finish: @y may be @x. */
void cpu_finish(const CpuFinish *finish, const float *x, float *y, int count);

/** cpu_sum: Adds @pixels pixels of @count channels to @sums, which has one for each channel. In double,
 * pixel by pixel, to the same bits whatever the level. */
void cpu_sum(const float *v, ptrdiff_t v_pixel, const float *x, ptrdiff_t x_pixel, int pixels,
             int count, CpuSum *sums);

/** cpu_largest: Returns: the largest |x|, or with @rectifies max(x, 0), as bits: NaN is above all. */
uint32_t cpu_largest(const float *x, bool rectifies, int count);

/** cpu_to_bf16: Rounds to nearest even; a NaN stays one. @rectifies: max(x, 0). */
void cpu_to_bf16(const float *x, bool rectifies, uint16_t *y, int count);

/** CPU_ROUNDER: Added to a small number it rounds it: its lowest bit is worth 1, and its lowest byte is 0. */
#define CPU_ROUNDER 12582912.f

/** cpu_to_int8: y = x * inverse + 128, rounded to nearest even. |x * inverse|: at most 127; what is none
 * becomes any number. */
void cpu_to_int8(const float *x, bool rectifies, float inverse, uint8_t *y, int count);

#endif
