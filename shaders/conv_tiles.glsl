/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A product of two matrices in tiles: TILE_K of the sum at a time pass through shared memory, in
 * fours; each invocation keeps THREAD_M by THREAD_N sums, fours of columns. Those of an invocation
 * lie LANES apart, so that neighbours read neighbours. All sides of tiles are multiples of four.
 */
#extension GL_EXT_control_flow_attributes : require

layout(constant_id = 3) const uint TILE_M = 64;
layout(constant_id = 4) const uint TILE_N = 64;
layout(constant_id = 5) const uint TILE_K = 16;
layout(constant_id = 6) const uint THREAD_M = 4;
layout(constant_id = 7) const uint THREAD_N = 4;

const uint LANES_M = TILE_M / THREAD_M, LANES_N = TILE_N / THREAD_N;
const uint GROUP = LANES_M * LANES_N;
const uint FOURS_M = TILE_M / 4, FOURS_N = TILE_N / 4, FOURS_K = TILE_K / 4;
const uint ROW_M = FOURS_M + 1, ROW_N = FOURS_N + 1, ROW_K = FOURS_K + 1; /* other banks each */
/* Fours that an invocation loads into each tile; the last may be beyond it. */
const uint LOADS_A = (TILE_K * FOURS_M + GROUP - 1) / GROUP;
const uint LOADS_B = (TILE_K * FOURS_N + GROUP - 1) / GROUP;


vec4 sums[THREAD_M * THREAD_N / 4];

void clear_sums()
{
    [[unroll]] for (uint i = 0; i < THREAD_M * THREAD_N / 4; i++)
        sums[i] = vec4(0.0);
}

uint load_index(uint j)
{
    return gl_LocalInvocationID.x + j * GROUP;
}

bool is_load(uint j, uint fours)
{
    return TILE_K * fours % GROUP == 0 || load_index(j) < TILE_K * fours;
}

/* The first of the columns of the sums' fours @j. */
uint column_of(uint j, uint lane_n)
{
    return (j * LANES_N + lane_n) * 4;
}
