/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Products of units by the tile registers of x86 (AMX): 16 rows of 16 floats each, of which four hold
 * sums, two rows of @a and two columns of @b. They are given back at the end of each product, so that
 * the thread, which is the host's, has none to save.
 */
#include <immintrin.h>

#include "cpu-compiler.h"
#include "cpu-micro.h"

#define SIDE 16 /* of a tile: rows, floats of a row, units of a sum */

/* ---- shapes ---- */

/* Registers, by name: the intrinsics take what becomes a number before the compiler sees it. */
#define SUM00 0
#define SUM01 1
#define SUM10 2
#define SUM11 3
#define LEFT0 4
#define LEFT1 5
#define RIGHT0 6
#define RIGHT1 7
#define TILES 8

typedef struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} Shapes;

/* @first, @second: rows of the two halves; @units: of each sum. */
static void shape(int first, int second, int units)
{
    Shapes s = {.palette = 1};
    for (int i = 0; i < TILES; i++) {
        bool left = i == LEFT0 || i == LEFT1, right = i == RIGHT0 || i == RIGHT1;
        bool lower = i == SUM10 || i == SUM11 || i == LEFT1;
        s.row_bytes[i] = (uint16_t)((left ? units : SIDE) * (int)sizeof(float));
        s.rows[i] = (uint8_t)(right ? units : lower ? MAX(second, 1) : first);
    }
    __asm__ volatile("" : : "r"(&s) : "memory"); /* what is loaded: GCC 12 knows of 8 bytes */
    _tile_loadconfig(&s);
}

/* ---- products ---- */

/* What up to two tiles of rows by up to two of columns sum: @k is a multiple of @units. */
typedef struct {
    int k, units, nr, ldc;
    const float *a, *b;
    float *c;
    bool add_to_c;
    CpuNext next;
    int lines; /* of it at each step */
} Block;

INLINE CpuNext fetch(CpuNext next, int lines)
{
    for (int i = 0; i < lines && next.count > 0; i++) {
        _mm_prefetch((const char *)next.from, _MM_HINT_T1);
        next.from += CPU_LINE;
        next.count -= CPU_LINE;
    }
    return next;
}

#define START(row, column, tile)                                                                   \
    do {                                                                                           \
        if (block->add_to_c)                                                                       \
            _tile_loadd(tile, block->c + (row)*SIDE * block->ldc + (column)*SIDE, pitch);          \
        else                                                                                       \
            _tile_zero(tile);                                                                      \
    } while (0)
#define DOT(sum, left, right)                                                                      \
    do {                                                                                           \
        if (ints)                                                                                  \
            _tile_dpbusd(sum, left, right);                                                        \
        else                                                                                       \
            _tile_dpbf16ps(sum, left, right);                                                      \
    } while (0)
#define STORE(row, column, tile)                                                                   \
    _tile_stored(tile, block->c + (row)*SIDE * block->ldc + (column)*SIDE, pitch)

/* Always inlined with constant @ints, @two_rows and @two_columns. */
INLINE void multiply(bool ints, bool two_rows, bool two_columns, Block *block)
{
    const size_t pitch = (size_t)block->ldc * sizeof(float);
    const size_t a_pitch = CPU_PITCH * sizeof(float), b_pitch = (size_t)block->nr * sizeof(float);
    START(0, 0, SUM00);
    if (two_columns)
        START(0, 1, SUM01);
    if (two_rows)
        START(1, 0, SUM10);
    if (two_rows && two_columns)
        START(1, 1, SUM11);
    for (int l = 0; l < block->k; l += block->units) {
        const float *b = block->b + l * block->nr;
        _tile_loadd(RIGHT0, b, b_pitch);
        _tile_loadd(LEFT0, block->a + l, a_pitch);
        DOT(SUM00, LEFT0, RIGHT0);
        if (two_columns) {
            _tile_loadd(RIGHT1, b + SIDE, b_pitch);
            DOT(SUM01, LEFT0, RIGHT1);
        }
        if (two_rows) {
            _tile_loadd(LEFT1, block->a + SIDE * CPU_PITCH + l, a_pitch);
            DOT(SUM10, LEFT1, RIGHT0);
            if (two_columns)
                DOT(SUM11, LEFT1, RIGHT1);
        }
        block->next = fetch(block->next, block->lines);
    }
    STORE(0, 0, SUM00);
    if (two_columns)
        STORE(0, 1, SUM01);
    if (two_rows)
        STORE(1, 0, SUM10);
    if (two_rows && two_columns)
        STORE(1, 1, SUM11);
}

INLINE void multiply_any(bool ints, bool two_rows, Block *block)
{
    if (block->nr > SIDE && two_rows)
        multiply(ints, true, true, block);
    else if (block->nr > SIDE)
        multiply(ints, false, true, block);
    else if (two_rows)
        multiply(ints, true, false, block);
    else
        multiply(ints, false, false, block);
}

/* All rows of @block, in steps of as many units as it says. */
INLINE void all_rows(bool ints, int m, Block block)
{
    int steps = (m + 2 * SIDE - 1) / (2 * SIDE) * (block.k / block.units);
    block.lines = (block.next.count / CPU_LINE + steps - 1) / steps;
    for (int row = 0, shaped = 0; row < m; row += 2 * SIDE) {
        int first = MIN(m - row, SIDE), second = MIN(m - row - first, SIDE);
        if (shaped != first + second)
            shape(first, second, block.units);
        shaped = first + second;
        multiply_any(ints, second > 0, &block);
        block.a += 2 * SIDE * CPU_PITCH;
        block.c += 2 * SIDE * block.ldc;
    }
}

INLINE void run(bool ints, int m, int nr, int k, const float *a, const float *b, float *c, int ldc,
                bool add_to_c, CpuNext next)
{
    int whole = k / SIDE * SIDE;
    __asm__ volatile("" ::: "memory"); /* the compiler does not see what tiles read and write */
    Block block = {whole, SIDE, nr, ldc, a, b, c, add_to_c, next, 0};
    if (whole > 0)
        all_rows(ints, m, block);
    if (k > whole)
        all_rows(ints, m,
                 (Block){k - whole,
                         k - whole,
                         nr,
                         ldc,
                         a + whole,
                         b + whole * nr,
                         c,
                         add_to_c || whole > 0,
                         {0},
                         0});
    _tile_release();
    __asm__ volatile("" ::: "memory");
}

static void product_bf16(int m, int nr, int k, const float *a, const float *b, float *c, int ldc,
                         bool add_to_c, CpuNext next)
{
    run(false, m, nr, k, a, b, c, ldc, add_to_c, next);
}

static void product_int8(int m, int nr, int k, const float *a, const float *b, float *c, int ldc,
                         bool add_to_c, CpuNext next)
{
    run(true, m, nr, k, a, b, c, ldc, add_to_c, next);
}

const CpuMicro cpu_micro_amx = {
    .name = "amx",
    .algorithm_bf16 = "bf16-amx",
    .algorithm_int8 = "int8-amx",
    .product_bf16 = product_bf16,
    .product_int8 = product_int8,
    .tiles = true,
    .gain_bf16 = 6,
    .gain_int8 = 12,
};
