/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The transforms of cpu-winograd.h, for all channels of a tile at once. F(m, r) is known by its points
 * m + r - 1 and its outputs m; there are F(2,2), F(3,2), F(2,3), F(4,3) and F(3,4).
 */
#ifndef PIX_CPU_TILE_H
#define PIX_CPU_TILE_H

#include <stdbool.h>
#include <stddef.h>

#include "cpu-elements.h"

/** CPU_TILE_POINTS: the most on one axis. */
#define CPU_TILE_POINTS 6
/** CPU_TILE_LANES: channels come in multiples of these. */
#define CPU_TILE_LANES 16

/** CpuTile: F(outputs, points - outputs + 1). */
typedef struct {
    int points, outputs;
} CpuTile;

/**
 * cpu_tile_in: B^T d B, with @rectifies of max(d, 0).  @from: points*points pixels of a tile, row by
 * row.  @to: @count channels of each point, @plane floats from point to point.
 */
void cpu_tile_in(CpuTile tile, bool rectifies, const float *const *from, int count, float *to,
                 ptrdiff_t plane);

/**
 * cpu_tile_out: A^T M A, of which @finish makes what is stored.  @to: outputs*outputs pixels, row by
 * row; NULL: one that is not wanted.  @finish: without zeros; its vectors are of @count channels.
 * @parts: (nullable): what is stored is added to the first @count of them, its squares to those
 * @squares later.
 */
void cpu_tile_out(CpuTile tile, const CpuFinish *finish, const float *from, ptrdiff_t plane,
                  int count, float *const *to, double *parts, ptrdiff_t squares);

/** cpu_tile_weights: G g G^T.  @from: taps*taps runs of @count floats, @pitch apart; @to as for
 * cpu_tile_in. */
void cpu_tile_weights(CpuTile tile, const float *from, ptrdiff_t pitch, int count, float *to,
                      ptrdiff_t plane);

#endif
