/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The micro-kernel table: the one inner loop of all convolutions, written once for each kind of
 * CPU. cpu-micro-c.c is the specification; the others are tested against it.
 */
#ifndef PIX_CPU_MICRO_H
#define PIX_CPU_MICRO_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "cpu-elements.h"
#include "cpu-load.h"
#include "cpu-tile.h"

/** CPU_KC: the longest run of products summed in one call. */
#define CPU_KC 256
/** CPU_PITCH: floats from row to row of @a: a constant, and no power of two, so that addresses are
 * immediate and rows do not fall on one set of the cache. */
#define CPU_PITCH (CPU_KC + 16)
/** CPU_MC: the most rows in one call. Keeps a product below the 2^19 multiply-adds from which on
 * OpenBLAS would start threads of its own (its interface/gemm.c), and a block of @a in the L2. */
#define CPU_MC 56
/** CPU_PIXELS: the most pixels in one sum of outer products. */
#define CPU_PIXELS 128
/** CPU_NR: columns of a panel of weights. A last panel with no more than half has CPU_NR / 2. */
#define CPU_NR 32
/** CPU_LINE: floats in a line of the cache. */
#define CPU_LINE 16

/**
 * CpuResult: What becomes of a result. STREAM overwrites without reading, past the caches, what will
 * not be read soon; rows lie at multiples of 64 bytes.
 */
typedef enum { CPU_SET, CPU_ADD, CPU_STREAM } CpuResult;

/**
 * CpuNext: floats that a later call will read, whole lines of CPU_LINE; NULL: none. Memory takes
 * longer to give them than a product to use them, and a core can wait for few lines at a time.
 */
typedef struct {
    const float *from;
    int count;
} CpuNext;

typedef void (*CpuProduct)(int m, int nr, int k, const float *a, const float *b, float *c, int ldc,
                           bool add_to_c, CpuNext next);

/**
 * CpuMicro: one level. What it has not is taken from the level below.
 * product: c[i][j] (+)= sum over k of a[i][k] * b[k][j], for @m rows (1 .. CPU_MC), @nr columns
 *   (CPU_NR or CPU_NR / 2) and @k products (1 .. CPU_KC), summed in order of k from 0; what is in c
 *   is added last, so that rounding grows with the length of a run, not of the whole sum.
 * @a: rows CPU_PITCH floats apart.  @b: (k, nr), dense.  @c: rows @ldc floats apart; with
 * @add_to_c it is added to, else overwritten.  @next: is fetched meanwhile.
 * outer: c[i][j] (+)= sum over k of a[k][i] * b[k][j], for any @m rows and 0 .. CPU_PIXELS products;
 *   the rest as above. @a, @b: a list of @k rows each.
 * transpose: to[j][i] = from[i][j], for @rows rows and @columns columns of @from; pitches are floats
 *   from row to row.
 * product_bf16, product_int8: as product, of numbers in reduced precision, of which each float of @a and
 *   @b holds two or four, the first in its lowest bits: sums of such units' dot products. bf16 is summed
 *   in float32, in an order of the level's own. Of int8 @a has 128 added to its numbers, which makes
 *   them unsigned, and @c holds int32: what the 128s add is for the caller to take away.
 * tiles: these two want the registers that cpu_may_use_tiles() asks for, and run after its yes alone.
 * finish, sum, largest, to_bf16, to_int8, multiply_add, read_ints: cpu_finish() and so on.
 * tile_in, tile_out, tile_weights: cpu_tile_in() and so on, with @count a multiple of CPU_TILE_LANES.
 * gain_bf16, gain_int8: how many multiply-adds product_bf16 and product_int8 make in the time of one of
 *   product, of 42 rows and CPU_KC floats of @a; rounded down from the median of what was measured on an
 *   Intel Xeon with AMX. gain_bf16_amd: on AMD's processors, where it is another.
 * read_cost, transform_cost: how many multiply-adds of product a float of weights from memory costs,
 *   which products hide some of, and a value of a tile that is transformed, or a quarter of a weight; such
 *   that the ways found fastest there are taken.
 */
typedef struct {
    const char *name; /* as in PIX2PIX_CPU */
    const char *algorithm, *algorithm_bf16, *algorithm_int8;
    CpuProduct product, product_bf16, product_int8;
    bool tiles;
    void (*outer)(int m, int nr, int k, const float *const *a, const float *const *b, float *c,
                  int ldc, CpuResult result);
    void (*transpose)(int rows, int columns, const float *from, ptrdiff_t from_pitch, float *to,
                      ptrdiff_t to_pitch);
    void (*finish)(const CpuFinish *finish, const float *x, float *y, int count);
    void (*sum)(const float *v, ptrdiff_t v_pixel, const float *x, ptrdiff_t x_pixel, int pixels,
                int count, CpuSum *sums);
    uint32_t (*largest)(const float *x, bool rectifies, int count);
    void (*to_bf16)(const float *x, bool rectifies, uint16_t *y, int count);
    void (*to_int8)(const float *x, bool rectifies, float inverse, uint8_t *y, int count);
    double (*multiply_add)(float a, float b, float *last);
    int32_t (*read_ints)(const int32_t *from, size_t count);
    void (*tile_in)(CpuTile tile, bool rectifies, const float *const *from, int count, float *to,
                    ptrdiff_t plane);
    void (*tile_out)(CpuTile tile, const CpuFinish *finish, const float *from, ptrdiff_t plane,
                     int count, float *const *to, double *parts, ptrdiff_t squares);
    void (*tile_weights)(CpuTile tile, const float *from, ptrdiff_t pitch, int count, float *to,
                         ptrdiff_t plane);
    double gain_bf16, gain_int8, gain_bf16_amd;
    double read_cost, transform_cost;
} CpuMicro;

/* Those that the build has none of are not defined. */
extern const CpuMicro cpu_micro_c;
extern const CpuMicro cpu_micro_openblas;
extern const CpuMicro cpu_micro_avx2;
extern const CpuMicro cpu_micro_avx2vnni;
extern const CpuMicro cpu_micro_avx512;
extern const CpuMicro cpu_micro_avx512vnni;
extern const CpuMicro cpu_micro_avx512dot;
extern const CpuMicro cpu_micro_amx;
extern const CpuMicro cpu_micro_neon;

/** cpu_transpose: The plain one, for what has odd sides. */
void cpu_transpose(int rows, int columns, const float *from, ptrdiff_t from_pitch, float *to,
                   ptrdiff_t to_pitch);

/**
 * cpu_micro_select:
 * @level: (nullable): the name of the highest that may be used, in lower or upper case; NULL takes what
 * the CPU can do.  @micro: (out).  Errors: NO_DEVICE for a name that no level has, whatever the build.
 */
bool cpu_micro_select(const char *level, CpuMicro *micro, GError **error);

#endif
