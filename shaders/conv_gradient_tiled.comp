/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * Tiles of taps and gathered channels by direct channels. A chunk of the sum is TILE_K pixels.
 * Bindings: 0 the gathered map; 1 the direct map; 2 the gradient (kh, kw, c, oc), or with splits the
 * parts (splits, kh, kw, c, oc).
 * Twins: conv_gradient_simple.comp, cpu/cpu-conv-gradient.c.
 */
#include "tensor.glsl"
#include "conv.glsl"
#include "conv_gradient.glsl"
#include "conv_tiles.glsl"

layout(constant_id = 12) const uint GATHERED4 = 0; /* can be read in fours of channels */
layout(constant_id = 13) const uint DIRECT4 = 0;

layout(binding = 0) readonly buffer Gathered4 { vec4 gathered4[]; };
layout(binding = 1) readonly buffer Direct4 { vec4 direct4[]; };

shared vec4 tile_a[TILE_K * ROW_M];
shared vec4 tile_b[TILE_K * ROW_N];

/* ---- pixels ---- */

struct Pixel {
    uint n, y, x;
};

Pixel pixel_of(uint i)
{
    uint rest = i / p.out_w;
    return Pixel(rest / p.out_h, rest % p.out_h, i % p.out_w);
}

/* TILE_K pixels on, as Pixel: a sum with carries needs no divisions. */
Pixel stride;

void advance(inout Pixel pixel)
{
    pixel.x += stride.x;
    uint carry = pixel.x >= p.out_w ? 1 : 0;
    pixel.x -= carry * p.out_w;
    pixel.y += stride.y + carry;
    carry = pixel.y >= p.out_h ? 1 : 0;
    pixel.y -= carry * p.out_h;
    pixel.n += stride.n + carry;
}

/* ---- loads ---- */

/* Those of an invocation are of the same rows, where the group's size allows it. */
const bool SAME_ROWS = GROUP % FOURS_M == 0;
Pixel pixels[LOADS_A];
Row rows[4];

void find_rows(uint m)
{
    [[unroll]] for (uint r = 0; r < 4; r++)
        rows[r] = row_at(min(m + r, row_count() - 1));
}

/* Rows beyond the last repeat it: nobody stores their sums. */
vec4 load_gathered(Pixel pixel)
{
    vec4 four = vec4(0.0);
    if (pixel.n >= p.n)
        return four;
    if (GATHERED4 != 0) {
        uint place = gathered_place(pixel.n, pixel.y, pixel.x, rows[0].ky, rows[0].kx);
        return place == NOTHING ? four : gathered4[(place + rows[0].c) / 4];
    }
    [[unroll]] for (uint r = 0; r < 4; r++) {
        uint place = gathered_place(pixel.n, pixel.y, pixel.x, rows[r].ky, rows[r].kx);
        if (place != NOTHING)
            four[r] = gathered[place + rows[r].c];
    }
    return four;
}

void fill_a(uint m0)
{
    [[unroll]] for (uint j = 0; j < LOADS_A; j++) {
        uint k = load_index(j) / FOURS_M, m = load_index(j) % FOURS_M;
        if (!is_load(j, FOURS_M))
            continue;
        if (!SAME_ROWS)
            find_rows(m0 + m * 4);
        tile_a[k * ROW_M + m] = load_gathered(pixels[j]);
        advance(pixels[j]);
    }
}

vec4 load_direct(uint pixel, uint oc)
{
    uint place = pixel * p.out_pixel + p.out_first + oc;
    vec4 four = vec4(0.0);
    if (pixel >= p.n * p.out_h * p.out_w || oc >= p.out_c)
        return four;
    if (DIRECT4 != 0)
        return direct4[place / 4];
    [[unroll]] for (uint r = 0; r < 4; r++)
        if (oc + r < p.out_c)
            four[r] = direct[place + r];
    return four;
}

void fill_b(uint pixel0, uint oc0)
{
    [[unroll]] for (uint j = 0; j < LOADS_B; j++) {
        uint k = load_index(j) / FOURS_N, n = load_index(j) % FOURS_N;
        if (is_load(j, FOURS_N))
            tile_b[k * ROW_N + n] = load_direct(pixel0 + k, oc0 + n * 4);
    }
}

/* ---- the sum ---- */

/* Row of the tile of the sums @i. */
uint row_of(uint i, uint lane_m)
{
    return (i / 4 * LANES_M + lane_m) * 4 + i % 4;
}

/* @lane_m, @lane_n: which of the sums are this invocation's. */
void multiply(uint lane_m, uint lane_n)
{
    [[dont_unroll]] for (uint k0 = 0; k0 < TILE_K; k0 += 4)
        [[unroll]] for (uint k = k0; k < k0 + 4; k++) {
            vec4 a[THREAD_M / 4];
            [[unroll]] for (uint i = 0; i < THREAD_M / 4; i++)
                a[i] = tile_a[k * ROW_M + i * LANES_M + lane_m];
            [[unroll]] for (uint j = 0; j < THREAD_N / 4; j++) {
                vec4 b = tile_b[k * ROW_N + j * LANES_N + lane_n];
                [[unroll]] for (uint i = 0; i < THREAD_M; i++)
                    sums[i * (THREAD_N / 4) + j] += a[i / 4][i % 4] * b;
            }
        }
}

void begin(uint m0, uint pixel0)
{
    clear_sums();
    find_rows(m0 + load_index(0) % FOURS_M * 4);
    stride = pixel_of(TILE_K);
    [[unroll]] for (uint j = 0; j < LOADS_A; j++)
        pixels[j] = pixel_of(pixel0 + load_index(j) / FOURS_M);
}

void store_row(uint i, uint m, uint split, uint oc0, uint lane_n)
{
    [[unroll]] for (uint j = 0; j < THREAD_N; j++) {
        uint oc = oc0 + column_of(j / 4, lane_n) + j % 4;
        if (oc < p.out_c)
            store_gradient(gradient_place(m, oc), split, sums[i * (THREAD_N / 4) + j / 4][j % 4]);
    }
}

void main()
{
    /* Neighbours write neighbours, whichever side lies along the gradient. */
    uint lane = gl_LocalInvocationID.x;
    uint lane_m = p.weight_out == 1 ? lane / LANES_N : lane % LANES_M;
    uint lane_n = p.weight_out == 1 ? lane % LANES_N : lane / LANES_M;
    uint group = gl_WorkGroupID.z * gl_NumWorkGroups.y + gl_WorkGroupID.y;
    uint m0 = group % p.tiles * TILE_M, split = group / p.tiles, oc0 = gl_WorkGroupID.x * TILE_N;
    uint chunks = (p.n * p.out_h * p.out_w + TILE_K - 1) / TILE_K;
    uint share = (chunks + p.splits - 1) / p.splits;
    uint first = min(chunks, split * share), last = min(chunks, first + share);
    if (split >= p.splits)
        return;

    begin(m0, first * TILE_K);
    for (uint chunk = first; chunk < last; chunk++) {
        fill_a(m0);
        fill_b(chunk * TILE_K, oc0);
        barrier();
        multiply(lane_m, lane_n);
        barrier();
    }
    [[unroll]] for (uint i = 0; i < THREAD_M; i++)
        if (m0 + row_of(i, lane_m) < row_count())
            store_row(i, m0 + row_of(i, lane_m), split, oc0, lane_n);
}
