/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * A convolution in tiles of pixels by channels.
 * Bindings: 0 the input map; 1 the weights; 2 the output map, or with splits the parts
 * (splits, n, out_h, out_w, out_c); 3 vectors.
 * Twins: conv_simple.comp, cpu/cpu-conv.c.
 */
#include "tensor.glsl"
#include "conv.glsl"
#include "conv_store.glsl"
#include "conv_gather.glsl"
#include "conv_tiles.glsl"

shared vec4 tile_a[TILE_M * ROW_K]; /* fours along the sum */
shared vec4 tile_b[TILE_K * ROW_N]; /* fours of columns */

/* Of each four of the input that this invocation loads. */
Source sources[LOADS_A];
uint places[LOADS_A];

void find_sources()
{
    [[unroll]] for (uint j = 0; j < LOADS_A; j++)
        sources[j] = source_of_pixel(first_pixel + load_index(j) / FOURS_K);
}

void aim(Tap tap)
{
    [[unroll]] for (uint j = 0; j < LOADS_A; j++)
        places[j] = place_of(sources[j], tap);
}

void fill_a(uint c0)
{
    [[unroll]] for (uint j = 0; j < LOADS_A; j++) {
        uint m = load_index(j) / FOURS_K, k = load_index(j) % FOURS_K;
        if (is_load(j, FOURS_M))
            tile_a[m * ROW_K + k] = load_in(places[j], c0 + k * 4);
    }
}

void fill_b(Tap tap, uint c0, uint oc0)
{
    [[unroll]] for (uint j = 0; j < LOADS_B; j++) {
        uint i = load_index(j);
        if (!is_load(j, FOURS_N))
            continue;
        if (ALONG_OUT != 0) {
            uint k = i / FOURS_N, n = i % FOURS_N;
            tile_b[k * ROW_N + n] = load_weights(tap, c0 + k, oc0 + n * 4);
        } else {
            uint n = i / FOURS_K, k = i % FOURS_K * 4;
            vec4 four = load_weights(tap, c0 + k, oc0 + n);
            [[unroll]] for (uint r = 0; r < 4; r++)
                tile_b[(k + r) * ROW_N + n / 4][n % 4] = four[r];
        }
    }
}

/* Row of the tile of the sums @i. */
uint row_of(uint i, uint lane_m)
{
    return i * LANES_M + lane_m;
}

/* @lane_m, @lane_n: which of the sums are this invocation's. */
void multiply(uint lane_m, uint lane_n)
{
    [[dont_unroll]] for (uint k = 0; k < TILE_K; k += 4) {
        vec4 a[THREAD_M];
        [[unroll]] for (uint i = 0; i < THREAD_M; i++)
            a[i] = tile_a[row_of(i, lane_m) * ROW_K + k / 4];
        [[unroll]] for (uint r = 0; r < 4; r++)
            [[unroll]] for (uint j = 0; j < THREAD_N / 4; j++) {
                vec4 b = tile_b[(k + r) * ROW_N + j * LANES_N + lane_n];
                [[unroll]] for (uint i = 0; i < THREAD_M; i++)
                    sums[i * (THREAD_N / 4) + j] += a[i][r] * b;
            }
    }
}

void sum_chunks(uint oc0, uint lane_m, uint lane_n)
{
    uint per_tap = (p.in_c + TILE_K - 1) / TILE_K, t = first_chunk / per_tap;
    uint c0 = first_chunk % per_tap * TILE_K;
    Tap tap;
    for (uint chunk = first_chunk; chunk < last_chunk; chunk++) {
        if (chunk == first_chunk || c0 == 0) {
            tap = tap_at(t);
            aim(tap);
        }
        fill_a(c0);
        fill_b(tap, c0, oc0);
        barrier();
        multiply(lane_m, lane_n);
        barrier();
        c0 += TILE_K;
        if (c0 >= p.in_c) {
            c0 = 0;
            t++;
        }
    }
}

void main()
{
    uint lane_m = gl_LocalInvocationID.x / LANES_N, lane_n = gl_LocalInvocationID.x % LANES_N;
    uint oc0 = gl_WorkGroupID.x * TILE_N;
    if (!begin(TILE_M, TILE_K))
        return;
    clear_sums();
    find_sources();
    sum_chunks(oc0, lane_m, lane_n);
    [[unroll]] for (uint i = 0; i < THREAD_M; i++)
        [[unroll]] for (uint j = 0; j < THREAD_N / 4; j++)
            store_sums(first_pixel + row_of(i, lane_m), oc0 + column_of(j, lane_n),
                       sums[i * (THREAD_N / 4) + j]);
}
