/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The micro-kernel in GCC's vector extensions, for one width of registers. The including file sets
 *   LANES  floats in a register
 *   ROWS   rows of c held in registers
 *   COLS   registers in a row of c: ROWS * COLS sums, COLS weights and one broadcast must fit
 * and is compiled for the CPU that has them. No row of c is ever split over two calls in k order,
 * so that a sum does not depend on how rows were grouped.
 */
#include "cpu-micro.h"

typedef float Vec __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

/* Always inlined with constant @rows and @cols, so that all loops over them unroll. */
static inline __attribute__((always_inline)) void tile(int rows, int cols, int nr, int k,
                                                       const float *a, const float *b, float *c,
                                                       int ldc, bool add_to_c)
{
    Vec sum[ROWS][COLS];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (int j = 0; j < cols; j++)
            sum[i][j] = add_to_c ? *(const Vec *)(c + i * ldc + j * LANES) : (Vec){0};
    for (int l = 0; l < k; l++) {
        Vec weights[COLS];
#pragma GCC unroll 4
        for (int j = 0; j < cols; j++)
            weights[j] = *(const Vec *)(b + l * nr + j * LANES);
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
            for (int j = 0; j < cols; j++)
                sum[i][j] += weights[j] * a[i * CPU_PITCH + l];
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (int j = 0; j < cols; j++)
            *(Vec *)(c + i * ldc + j * LANES) = sum[i][j];
}

#define CASE(r)                                                                                    \
    case r:                                                                                        \
        tile(r, cols, nr, k, a, b, c, ldc, add_to_c);                                              \
        break;

static inline __attribute__((always_inline)) void tile_any(int rows, int cols, int nr, int k,
                                                           const float *a, const float *b, float *c,
                                                           int ldc, bool add_to_c)
{
    switch (rows) {
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
#if ROWS > 6
        CASE(7)
        CASE(8)
        CASE(9)
        CASE(10)
        CASE(11)
        CASE(12)
        CASE(13)
        CASE(14)
#endif
    default:
        break;
    }
}

static void columns(int m, int cols_left, int nr, int k, const float *a, const float *b, float *c,
                    int ldc, bool add_to_c)
{
    for (int i = 0; i < m; i += ROWS) {
        int rows = m - i < ROWS ? m - i : ROWS;
        const float *ai = a + i * CPU_PITCH;
        float *ci = c + i * ldc;
        if (cols_left >= COLS * LANES)
            tile_any(rows, COLS, nr, k, ai, b, ci, ldc, add_to_c);
        else
            tile_any(rows, 1, nr, k, ai, b, ci, ldc, add_to_c);
    }
}

static void product(int m, int nr, int k, const float *a, const float *b, float *c, int ldc,
                    bool add_to_c)
{
    for (int j = 0; j < nr;) {
        columns(m, nr - j, nr, k, a, b + j, c + j, ldc, add_to_c);
        j += nr - j >= COLS * LANES ? COLS * LANES : LANES;
    }
}
