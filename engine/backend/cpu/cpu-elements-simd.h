/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cpu_finish() and cpu_sum() in registers, for the files that include cpu-micro-simd.h. */
#ifndef PIX_CPU_ELEMENTS_SIMD_H
#define PIX_CPU_ELEMENTS_SIMD_H

#include "cpu-elements.h"
#include "cpu-micro-simd.h"
#include "cpu-private.h"

#define HALF (LANES / 2)

typedef int IntVec __attribute__((vector_size(LANES * 4)));
typedef float HalfVec __attribute__((vector_size(HALF * 4), aligned(4), may_alias));
typedef double DoubleVec __attribute__((vector_size(HALF * 8)));

INLINE Vec rectified(Vec x)
{
    return (Vec)((IntVec)x & ~(IntVec)(x < 0));
}

INLINE Vec activated(PixActivation f, Vec x)
{
    IntVec below = (IntVec)(x < 0);
    if (f.kind == PIX_ACTIVATION_RELU)
        return rectified(x);
    if (f.kind == PIX_ACTIVATION_LEAKY_RELU)
        return (Vec)(((IntVec)x & ~below) | ((IntVec)(x * f.slope) & below));
    return x;
}

static void finish(const CpuFinish *f, const float *x, float *y, int count)
{
    int whole = count / LANES * LANES;
    CpuFinish rest = *f;
    for (int i = 0; i < whole; i += LANES) {
        Vec sum = *(const Vec *)(x + i);
        if (f->scale)
            sum = sum * *(const Vec *)(f->scale + i) + *(const Vec *)(f->shift + i);
        else if (f->shift)
            sum += *(const Vec *)(f->shift + i);
        if (f->adds)
            sum += *(const Vec *)(y + i);
        *(Vec *)(y + i) = activated(f->activation, sum);
    }
    if (f->activation.kind == PIX_ACTIVATION_TANH)
        cpu_activate(f->activation, y, y, (size_t)whole);
    if (whole == count)
        return;
    rest.scale = f->scale ? f->scale + whole : NULL;
    rest.shift = f->shift ? f->shift + whole : NULL;
    cpu_finish(&rest, x + whole, y + whole, count - whole);
}

INLINE DoubleVec doubles(const float *x)
{
    return __builtin_convertvector(*(const HalfVec *)x, DoubleVec);
}

static void sum(const float *v, ptrdiff_t v_pixel, const float *x, ptrdiff_t x_pixel, int pixels,
                int count, CpuSum *sums)
{
    int whole = count / LANES * LANES;
    for (int c = 0; c < whole; c += LANES) {
        DoubleVec total[2] = {{0}}, product[2] = {{0}};
        for (ptrdiff_t i = 0; i < pixels; i++)
            for (int half = 0; half < 2; half++) {
                DoubleVec a = doubles(v + i * v_pixel + c + half * HALF);
                total[half] += a;
                product[half] += a * doubles(x + i * x_pixel + c + half * HALF);
            }
        for (int j = 0; j < LANES; j++) {
            sums[c + j].v += total[j / HALF][j % HALF];
            sums[c + j].vx += product[j / HALF][j % HALF];
        }
    }
    cpu_sum(v + whole, v_pixel, x + whole, x_pixel, pixels, count - whole, sums + whole);
}

#endif
