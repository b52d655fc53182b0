/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * A convolution forward in tiles of pixels by channels, by products of small matrices: the variant
 * for tensor cores. Each team makes BLOCKS by BLOCKS of those in the tile.
 * Bindings as in conv_tiled.comp. Twins: conv_simple.comp, cpu/cpu-conv.c.
 */
#include "tensor.glsl"
#include "conv.glsl"
#include "conv_store.glsl"
#include "conv_gather.glsl"

layout(constant_id = 3) const uint TILE_M = 64;
layout(constant_id = 4) const uint TILE_N = 64;
layout(constant_id = 5) const uint TILE_K = 16;

const uint BLOCKS = 2;
const uint TEAMS_N = TILE_N / 32, TEAMS = TILE_M / 32 * TEAMS_N;

#include "matrix.glsl"

const uint GROUP = TEAMS * 32;
const uint FOURS_K = TILE_K / 4, FOURS_N = TILE_N / 4;
const uint LOADS_A = TILE_M * FOURS_K / GROUP, LOADS_B = TILE_K * FOURS_N / GROUP; /* each whole */

/* Of each four of the input that this invocation loads. */
Source sources[LOADS_A];
uint places[LOADS_A];

uint load_index(uint j)
{
    return gl_LocalInvocationIndex + j * GROUP;
}

void aim(Tap tap)
{
    [[unroll]] for (uint j = 0; j < LOADS_A; j++)
        places[j] = place_of(sources[j], tap);
}

void fill_a(uint c0)
{
    [[unroll]] for (uint j = 0; j < LOADS_A; j++) {
        uint m = load_index(j) / FOURS_K, k = load_index(j) % FOURS_K * 4;
        vec4 four = load_in(places[j], c0 + k);
        [[unroll]] for (uint r = 0; r < 4; r++)
            tile_a[m * ROW_A + k + r] = Element(four[r]);
    }
}

/* Forward, weights lie along output channels. */
void fill_b(Tap tap, uint c0, uint oc0)
{
    [[unroll]] for (uint j = 0; j < LOADS_B; j++) {
        uint k = load_index(j) / FOURS_N, n = load_index(j) % FOURS_N * 4;
        vec4 four = load_weights(tap, c0 + k, oc0 + n);
        [[unroll]] for (uint r = 0; r < 4; r++)
            tile_b[k * ROW_B + n + r] = Element(four[r]);
    }
}

Matrix sums[BLOCKS * BLOCKS];

void multiply()
{
    uint m0 = team() / TEAMS_N * 32, n0 = team() % TEAMS_N * 32;
    [[unroll]] for (uint k = 0; k < TILE_K; k += SIDE) {
        Factor a[BLOCKS], b[BLOCKS];
        [[unroll]] for (uint i = 0; i < BLOCKS; i++) {
            load_a(a[i], (m0 + i * SIDE) * ROW_A + k);
            load_b(b[i], k * ROW_B + n0 + i * SIDE);
        }
        [[unroll]] for (uint i = 0; i < BLOCKS * BLOCKS; i++)
            multiply_add(sums[i], a[i / BLOCKS], b[i % BLOCKS]);
    }
}

void sum_chunks(uint oc0)
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
        multiply();
        barrier();
        c0 += TILE_K;
        if (c0 >= p.in_c) {
            c0 = 0;
            t++;
        }
    }
}

/* Block @i of every team, which lies in staged[]; all invocations share them, whoever made which. */
void store_blocks(uint i, uint oc0)
{
    for (uint four = gl_LocalInvocationIndex; four < TEAMS * BLOCK / 4; four += GROUP) {
        uint at = four * 4, of = at / BLOCK, row = at % BLOCK / SIDE, column = at % SIDE;
        uint m = of / TEAMS_N * 32 + i / BLOCKS * SIDE + row;
        uint n = of % TEAMS_N * 32 + i % BLOCKS * SIDE + column;
        store_sums(first_pixel + m, oc0 + n,
                   vec4(staged[at], staged[at + 1], staged[at + 2], staged[at + 3]));
    }
}

void main()
{
    uint oc0 = gl_WorkGroupID.x * TILE_N;
    if (!begin(TILE_M, TILE_K))
        return;
    [[unroll]] for (uint j = 0; j < LOADS_A; j++)
        sources[j] = source_of_pixel(first_pixel + load_index(j) / FOURS_K);
    [[unroll]] for (uint i = 0; i < BLOCKS * BLOCKS; i++)
        sums[i] = zero_sums();
    sum_chunks(oc0);
    [[unroll]] for (uint i = 0; i < BLOCKS * BLOCKS; i++) {
        stage(sums[i]);
        barrier();
        store_blocks(i, oc0);
        barrier();
    }
}
