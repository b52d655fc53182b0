/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The micro-kernel in GCC's vector extensions, for one width of registers. The including file sets
 *   LANES  floats in a register
 *   ROWS   rows of c held in registers
 *   COLS   registers in a row of c: ROWS * COLS sums, COLS weights and one broadcast must fit
 *   STREAM(to, x)  stores a register past the caches
 *   DOT_BF16(sum, a, b), DOT_INT8(sum, a, b)  the sum and the dot products of units; optional
 * and is compiled for the CPU that has them. Every row of c is summed by itself, so that a sum does
 * not depend on how rows were grouped.
 */
#ifndef PIX_CPU_MICRO_SIMD_H
#define PIX_CPU_MICRO_SIMD_H

#include <string.h>

#include "cpu-compiler.h"
#include "cpu-micro.h"

typedef float Vec __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int IntVec __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
/* Not in memory: of what may alias anything GCC keeps a copy there, written after each product. */
typedef float Register __attribute__((vector_size(LANES * 4)));

/* What a float of a and of b is: one number, or a unit of reduced precision. */
typedef enum { FLOATS, BF16, INT8 } Kind;

/* The two sides of a product: matrices, or lists of rows with the first element to take. */
typedef struct {
    const float *a, *b;
    int nr; /* from row to row of b */
    const float *const *a_list, *const *b_list;
    int row, column;
    const float *next; /* what is asked for early; NULL: nothing */
    int pace; /* lines in 256 products; above that every line is asked for with the one before */
} Sides;

/* Hides where an address comes from: GCC would make an index of its own for each row, and spill. */
INLINE const float *opaque(const float *p)
{
    __asm__("" : "+r"(p));
    return p;
}

/* What product @l takes from the left, one float for each row, and from the right. */
INLINE const float *left(bool lists, const Sides *s, int l)
{
    return lists ? opaque(s->a_list[l] + s->row) : s->a + s->row * CPU_PITCH + l;
}

INLINE const float *right(bool lists, const Sides *s, int l)
{
    return (lists ? s->b_list[l] : s->b + l * s->nr) + s->column;
}

#ifndef DOT_BF16
INLINE Vec upper_half(Vec x)
{
    return (Vec)((IntVec)x & (int)0xffff0000u);
}

INLINE Vec lower_half(Vec x)
{
    return (Vec)((IntVec)x << 16);
}

#define DOT_BF16(sum, a, b) ((sum) + lower_half(a) * lower_half(b) + upper_half(a) * upper_half(b))
#endif
#ifndef DOT_INT8
INLINE IntVec dot_int8(IntVec sum, IntVec a, IntVec b)
{
    UNROLL
    for (int i = 0; i < 4; i++)
        sum += (a >> (8 * i) & 0xff) * (b << (24 - 8 * i) >> 24);
    return sum;
}

#define DOT_INT8(sum, a, b) (Vec) dot_int8((IntVec)(sum), (IntVec)(a), (IntVec)(b))
#endif

INLINE Vec accumulated(Kind kind, Vec sum, const float *a, Vec b)
{
    if (kind == FLOATS)
        return sum + b * *a;
    int unit;
    memcpy(&unit, a, sizeof unit);
    Vec all = (Vec)(unit | (IntVec){0});
    if (kind == BF16)
        return DOT_BF16(sum, all, b);
    return DOT_INT8(sum, all, b);
}

INLINE Vec added(Kind kind, Vec a, Vec b)
{
    if (kind == INT8)
        return (Vec)((IntVec)a + (IntVec)b);
    return a + b;
}

/* Always inlined with constant @kind, @lists, @rows and @cols, so that all loops over them unroll. */
INLINE void tile(Kind kind, bool lists, int rows, int cols, int k, const Sides *sides, float *c,
                 int ldc, CpuResult result)
{
    const Sides s = *sides;
    Register sum[ROWS][COLS];
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int j = 0; j < cols; j++)
            sum[i][j] = (Vec){0};
    }
    for (int l = 0; l < k; l++) {
        const float *a = left(lists, &s, l), *b = right(lists, &s, l);
        const int next = lists ? 1 : CPU_PITCH;
        Vec weights[COLS];
        UNROLL
        for (int j = 0; j < cols; j++) {
            weights[j] = *(const Vec *)(b + j * LANES);
        }
        if (!lists && s.next)
            __builtin_prefetch(s.next + (l * s.pace >> 8) * CPU_LINE, 0, 2);
        if (!lists && s.pace > 256)
            __builtin_prefetch(s.next + ((l * s.pace >> 8) + 1) * CPU_LINE, 0, 2);
        UNROLL
        for (int i = 0; i < rows; i++) {
            UNROLL
            for (int j = 0; j < cols; j++)
                sum[i][j] = accumulated(kind, sum[i][j], a + i * next, weights[j]);
        }
    }
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int j = 0; j < cols; j++) {
            Vec *at = (Vec *)(c + i * ldc + j * LANES);
            if (result == CPU_ADD)
                sum[i][j] = added(kind, sum[i][j], *at);
            if (result == CPU_STREAM)
                STREAM(at, sum[i][j]);
            else
                *at = sum[i][j];
        }
    }
}

#define CASE(r)                                                                                    \
    case r:                                                                                        \
        tile(kind, lists, r, cols, k, sides, c, ldc, result);                                      \
        break;

INLINE void tile_any(Kind kind, bool lists, int rows, int cols, int k, const Sides *sides, float *c,
                     int ldc, CpuResult result)
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

INLINE void all_tiles(Kind kind, bool lists, int m, int nr, int k, Sides s, CpuNext next, float *c,
                      int ldc, CpuResult result)
{
    const int tiles = (m + ROWS - 1) / ROWS, height = (m + tiles - 1) / tiles;
    const int columns = (nr + COLS * LANES - 1) / (COLS * LANES);
    const int lines = (next.count / CPU_LINE + tiles * columns - 1) / (tiles * columns);
    s.pace = next.from ? (lines * 256 + k - 1) / k : 0;
    s.next = next.from;
    for (s.column = 0; s.column < nr;) {
        bool whole = nr - s.column >= COLS * LANES;
        for (s.row = 0; s.row < m; s.row += height) {
            int rows = m - s.row < height ? m - s.row : height;
            float *at = c + s.row * ldc + s.column;
            if (whole)
                tile_any(kind, lists, rows, COLS, k, &s, at, ldc, result);
            else
                tile_any(kind, lists, rows, 1, k, &s, at, ldc, result);
            if (s.next)
                s.next += lines * CPU_LINE;
        }
        s.column += whole ? COLS * LANES : LANES;
    }
}

#endif
