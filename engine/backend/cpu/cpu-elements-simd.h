/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What cpu-elements.h has, in registers, for the files that include cpu-micro-simd.h. */
#ifndef PIX_CPU_ELEMENTS_SIMD_H
#define PIX_CPU_ELEMENTS_SIMD_H

#include "cpu-elements.h"
#include "cpu-micro-simd.h"

#define HALF (LANES / 2)

typedef float HalfVec __attribute__((vector_size(HALF * 4), aligned(4), may_alias));
typedef double DoubleVec __attribute__((vector_size(HALF * 8)));

INLINE Vec rectified(Vec x)
{
    return (Vec)((IntVec)x & ~(IntVec)(x < 0));
}

INLINE Vec chosen(IntVec where, Vec a, Vec b)
{
    return (Vec)(((IntVec)a & where) | ((IntVec)b & ~where));
}

/* As cpu-elements.c. */
INLINE Vec tanh_of(Vec x)
{
    const IntVec sign = (IntVec){0} + INT32_MIN;
    Vec a = (Vec)((IntVec)x & ~sign), ten = (Vec){0} + 10;
    a = 2 * chosen((IntVec)(a < ten), a, ten);
    IntVec n = __builtin_convertvector(a * 1.44269504f + 0.5f, IntVec);
    Vec whole = __builtin_convertvector(n, Vec);
    Vec r = a - whole * 0.693359375f + whole * 2.12194440e-4f;
    Vec p =
        r * (1 + r * (1 / 2.f +
                      r * (1 / 6.f +
                           r * (1 / 24.f + r * (1 / 120.f + r * (1 / 720.f + r * (1 / 5040.f)))))));
    Vec scale = (Vec)((n + 127) << 23), t = scale * p + (scale - 1);
    Vec y = (Vec)((IntVec)(t / (t + 2)) | ((IntVec)x & sign));
    return chosen((IntVec)(x == x), y, x);
}

INLINE Vec activated(PixActivation f, Vec x)
{
    IntVec below = (IntVec)(x < 0);
    if (f.kind == PIX_ACTIVATION_RELU)
        return rectified(x);
    if (f.kind == PIX_ACTIVATION_LEAKY_RELU)
        return chosen(below, x * f.slope, x);
    if (f.kind == PIX_ACTIVATION_TANH)
        return tanh_of(x);
    return x;
}

/* What is done to @sum, whatever it is of, for y[i] on. */
INLINE Vec finished(const CpuFinish *f, Vec sum, const float *y, int i)
{
    if (f->scale)
        sum = sum * *(const Vec *)(f->scale + i) + *(const Vec *)(f->shift + i);
    else if (f->shift)
        sum += *(const Vec *)(f->shift + i);
    if (f->adds)
        sum += *(const Vec *)(y + i);
    return activated(f->activation, sum);
}

static void finish(const CpuFinish *f, const float *x, float *y, int count)
{
    int whole = count / LANES * LANES;
    CpuFinish rest = *f;
    for (int i = 0; i < whole; i += LANES) {
        Vec sum = *(const Vec *)(x + i);
        if (f->zeros)
            sum = __builtin_convertvector((IntVec)sum - *(const IntVec *)(f->zeros + i), Vec) *
                  f->factor;
        *(Vec *)(y + i) = finished(f, sum, y, i);
    }
    if (whole == count)
        return;
    rest.scale = f->scale ? f->scale + whole : NULL;
    rest.shift = f->shift ? f->shift + whole : NULL;
    rest.zeros = f->zeros ? f->zeros + whole : NULL;
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

/* ---- reduced precision ---- */

typedef uint32_t WordVec __attribute__((vector_size(LANES * 4)));
typedef uint16_t ShortVec __attribute__((vector_size(LANES * 2), aligned(2), may_alias));
typedef uint8_t ByteVec __attribute__((vector_size(LANES), aligned(1), may_alias));

INLINE Vec loaded(const float *x, bool rectifies)
{
    Vec v = *(const Vec *)x;
    return rectifies ? rectified(v) : v;
}

static uint32_t largest(const float *x, bool rectifies, int count)
{
    IntVec all = {0};
    int whole = count / LANES * LANES;
    for (int i = 0; i < whole; i += LANES) {
        IntVec bits = (IntVec)loaded(x + i, rectifies) & 0x7fffffff;
        IntVec more = (IntVec)(bits > all);
        all = (bits & more) | (all & ~more);
    }
    uint32_t result = cpu_largest(x + whole, rectifies, count - whole);
    for (int i = 0; i < LANES; i++)
        result = MAX(result, (uint32_t)all[i]);
    return result;
}

static void to_bf16(const float *x, bool rectifies, uint16_t *y, int count)
{
    int whole = count / LANES * LANES;
    for (int i = 0; i < whole; i += LANES) {
        WordVec bits = (WordVec)loaded(x + i, rectifies);
        WordVec nan = (WordVec)((bits & 0x7fffffffu) > 0x7f800000u);
        WordVec rounded = bits + 0x7fffu + (bits >> 16 & 1);
        bits = (rounded & ~nan) | ((bits | 0x400000u) & nan);
        *(ShortVec *)(y + i) = __builtin_convertvector(bits >> 16, ShortVec);
    }
    cpu_to_bf16(x + whole, rectifies, y + whole, count - whole);
}

static void to_int8(const float *x, bool rectifies, float inverse, uint8_t *y, int count)
{
    int whole = count / LANES * LANES;
    for (int i = 0; i < whole; i += LANES) {
        Vec rounded = loaded(x + i, rectifies) * inverse + CPU_ROUNDER;
        *(ByteVec *)(y + i) = __builtin_convertvector((WordVec)rounded ^ 0x80, ByteVec);
    }
    cpu_to_int8(x + whole, rectifies, inverse, y + whole, count - whole);
}

#endif
