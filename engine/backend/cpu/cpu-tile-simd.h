/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The transforms of cpu-tile.h in registers, for the files that include cpu-elements-simd.h. */
#ifndef PIX_CPU_TILE_SIMD_H
#define PIX_CPU_TILE_SIMD_H

#include "cpu-elements-simd.h"
#include "cpu-tile.h"

typedef double DoubleParts __attribute__((vector_size(HALF * 8), aligned(8), may_alias));

/* One axis: of d[0], d[step] .. the values at the points. */
INLINE void points_of(int points, Vec *d, int step)
{
    Vec a = d[0], b = d[step], c = d[2 * step];
    if (points == 3) {
        d[0] = a - b;
        d[2 * step] = c - b;
        return;
    }
    Vec e = d[3 * step];
    if (points == 4) {
        d[0] = a - c;
        d[step] = b + c;
        d[2 * step] = c - b;
        d[3 * step] = e - b;
        return;
    }
    Vec f = d[4 * step], g = d[5 * step];
    Vec even = f - 4 * c, odd = e - 4 * b;
    d[0] = 4 * a - 5 * c + f;
    d[step] = even + odd;
    d[2 * step] = even - odd;
    even = f - c;
    odd = 2 * (e - b);
    d[3 * step] = even + odd;
    d[4 * step] = even - odd;
    d[5 * step] = 4 * b - 5 * e + g;
}

/* The other way: of values at the points the outputs. */
INLINE void outputs_of(int points, int outputs, Vec *d, int step)
{
    Vec a = d[0], b = d[step], c = d[2 * step];
    if (points == 3) {
        d[0] = a + b;
        d[step] = b + c;
        return;
    }
    Vec e = d[3 * step], sum = b + c, difference = b - c;
    if (points == 4) {
        d[0] = a + sum;
        d[step] = difference;
        if (outputs == 2)
            d[step] += e;
        else
            d[2 * step] = sum + e;
        return;
    }
    Vec f = d[4 * step], g = d[5 * step];
    Vec sum2 = e + f, difference2 = e - f;
    d[0] = a + sum + sum2;
    d[step] = difference + 2 * difference2;
    d[2 * step] = sum + 4 * sum2;
    if (outputs == 3)
        d[2 * step] += g;
    else
        d[3 * step] = difference + 8 * difference2 + g;
}

INLINE void tile_in_of(int points, bool rectifies, const float *const *from, int count, float *to,
                       ptrdiff_t plane)
{
    for (int c = 0; c < count; c += LANES) {
        Vec d[CPU_TILE_POINTS * CPU_TILE_POINTS];
        UNROLL
        for (int x = 0; x < points; x++) {
            UNROLL
            for (int y = 0; y < points; y++) {
                d[y * points + x] = *(const Vec *)(from[y * points + x] + c);
                if (rectifies)
                    d[y * points + x] = rectified(d[y * points + x]);
            }
            points_of(points, d + x, points);
        }
        UNROLL
        for (int y = 0; y < points; y++) {
            points_of(points, d + y * points, 1);
            UNROLL
            for (int x = 0; x < points; x++)
                *(Vec *)(to + (y * points + x) * plane + c) = d[y * points + x];
        }
    }
}

/* What is stored counts for a norm. */
INLINE void add_parts(Vec y, DoubleVec *sums)
{
    float values[LANES];
    *(Vec *)values = y;
    UNROLL
    for (int half = 0; half < 2; half++) {
        DoubleVec v = doubles(values + half * HALF);
        sums[half] += v;
        sums[2 + half] += v * v;
    }
}

INLINE void tile_out_of(int points, int outputs, const CpuFinish *finish, const float *from,
                        ptrdiff_t plane, int count, float *const *to, double *parts,
                        ptrdiff_t squares)
{
    const CpuFinish f = *finish;
    for (int c = 0; c < count; c += LANES) {
        Vec d[CPU_TILE_POINTS * CPU_TILE_POINTS], values[CPU_TILE_POINTS * CPU_TILE_POINTS];
        DoubleVec sums[4] = {{0}};
        UNROLL
        for (int x = 0; x < points; x++) {
            UNROLL
            for (int y = 0; y < points; y++)
                d[y * points + x] = *(const Vec *)(from + (y * points + x) * plane + c);
            outputs_of(points, outputs, d + x, points);
        }
        UNROLL
        for (int row = 0; row < outputs; row++) {
            outputs_of(points, outputs, d + row * points, 1);
            UNROLL
            for (int x = 0; x < outputs; x++)
                values[row * outputs + x] = d[row * points + x];
        }
        for (int i = 0; i < outputs * outputs; i++) {
            if (!to[i])
                continue;
            Vec *pixel = (Vec *)(to[i] + c), result = finished(&f, values[i], to[i], c);
            *pixel = result;
            if (parts)
                add_parts(result, sums);
        }
        for (int i = 0; i < 4 && parts; i++)
            *(DoubleParts *)(parts + i / 2 * squares + c + i % 2 * HALF) += sums[i];
    }
}

static void tile_in(CpuTile tile, bool rectifies, const float *const *from, int count, float *to,
                    ptrdiff_t plane)
{
    if (tile.points == 3 && rectifies)
        tile_in_of(3, true, from, count, to, plane);
    else if (tile.points == 3)
        tile_in_of(3, false, from, count, to, plane);
    else if (tile.points == 4 && rectifies)
        tile_in_of(4, true, from, count, to, plane);
    else if (tile.points == 4)
        tile_in_of(4, false, from, count, to, plane);
    else if (tile.points == 6)
        tile_in_of(6, rectifies, from, count, to, plane);
    else
        g_assert_not_reached();
}

#define CASE_TILE(points, outputs, run)                                                            \
    case (points)*10 + (outputs):                                                                  \
        run(points, outputs);                                                                      \
        break
/* @run(points, outputs) with constants for those of @tile. */
#define RUN_TILE(tile, run)                                                                        \
    switch ((tile).points * 10 + (tile).outputs) {                                                 \
        CASE_TILE(3, 2, run);                                                                      \
        CASE_TILE(4, 2, run);                                                                      \
        CASE_TILE(4, 3, run);                                                                      \
        CASE_TILE(6, 3, run);                                                                      \
        CASE_TILE(6, 4, run);                                                                      \
    default:                                                                                       \
        g_assert_not_reached();                                                                    \
    }

#define RUN_OUT(points, outputs)                                                                   \
    tile_out_of(points, outputs, finish, from, plane, count, to, parts, squares)

static void tile_out(CpuTile tile, const CpuFinish *finish, const float *from, ptrdiff_t plane,
                     int count, float *const *to, double *parts, ptrdiff_t squares)
{
    RUN_TILE(tile, RUN_OUT);
}

/* One axis of weights: of @taps values those at the points. */
INLINE void weights_of(int points, int taps, Vec *d, int step)
{
    Vec first = d[0], last = d[(taps - 1) * step];
    Vec even = first, odd = d[step];
    if (taps > 2)
        even += d[2 * step];
    if (taps > 3)
        odd += last;
    if (points == 3) {
        d[step] = even + odd;
        d[2 * step] = last;
        return;
    }
    if (points == 4) {
        d[step] = 0.5f * (even + odd);
        d[2 * step] = 0.5f * (even - odd);
        d[3 * step] = last;
        return;
    }
    Vec even2 = first + 4 * d[2 * step], odd2 = 2 * d[step];
    if (taps > 3)
        odd2 += 8 * last;
    d[0] = 1.f / 4 * first;
    d[step] = -1.f / 6 * (even + odd);
    d[2 * step] = -1.f / 6 * (even - odd);
    d[3 * step] = 1.f / 24 * (even2 + odd2);
    d[4 * step] = 1.f / 24 * (even2 - odd2);
    d[5 * step] = last;
}

INLINE void tile_weights_of(int points, int taps, const float *from, ptrdiff_t pitch, int count,
                            float *to, ptrdiff_t plane)
{
    for (int c = 0; c < count; c += LANES) {
        Vec d[CPU_TILE_POINTS * CPU_TILE_POINTS];
        UNROLL
        for (int x = 0; x < taps; x++) {
            UNROLL
            for (int y = 0; y < taps; y++)
                d[y * points + x] = *(const Vec *)(from + (y * taps + x) * pitch + c);
            weights_of(points, taps, d + x, points);
        }
        UNROLL
        for (int y = 0; y < points; y++) {
            weights_of(points, taps, d + y * points, 1);
            UNROLL
            for (int x = 0; x < points; x++)
                *(Vec *)(to + (y * points + x) * plane + c) = d[y * points + x];
        }
    }
}

#define RUN_WEIGHTS(points, outputs)                                                               \
    tile_weights_of(points, (points) - (outputs) + 1, from, pitch, count, to, plane)

static void tile_weights(CpuTile tile, const float *from, ptrdiff_t pitch, int count, float *to,
                         ptrdiff_t plane)
{
    RUN_TILE(tile, RUN_WEIGHTS);
}

#endif
