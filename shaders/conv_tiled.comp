/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * Tiles of pixels by channels. A chunk of the sum is TILE_K channels of one tap.
 * Bindings: 0 the input map; 1 the weights; 2 the output map, or with splits the parts
 * (splits, n, out_h, out_w, out_c); 3 vectors.
 * Twins: conv_simple.comp, cpu/cpu-conv.c.
 */
#include "tensor.glsl"
#include "conv.glsl"
#include "conv_store.glsl"
#include "conv_tiles.glsl"

layout(constant_id = 12) const uint IN4 = 0;     /* the input can be read in fours of channels */
layout(constant_id = 13) const uint WEIGHT4 = 0; /* and so can the weights */
layout(constant_id = 14) const uint ALONG_OUT = 1; /* they lie along output channels, else input */

layout(binding = 0) readonly buffer In { float x[]; };
layout(binding = 0) readonly buffer In4 { vec4 x4[]; };
layout(binding = 1) readonly buffer Weights { float weights[]; };
layout(binding = 1) readonly buffer Weights4 { vec4 weights4[]; };

shared vec4 tile_a[TILE_M * ROW_K];
shared vec4 tile_b[TILE_K * ROW_N];

Side rows, columns;
uint pixels; /* of the phase */

struct Pixel {
    uint n, y, x; /* y and x within the phase */
};

Pixel pixel_of(uint m)
{
    uint rest = m / columns.pixels;
    return Pixel(rest / rows.pixels, rest % rows.pixels, m % columns.pixels);
}

/* ---- the input ---- */

/* Of each four that this invocation loads: what the first tap reads, and where the current tap's
 * pixel begins, or NOTHING. */
uint samples[LOADS_A];
ivec2 sources[LOADS_A];
uint places[LOADS_A];

/* Rows beyond the pixels repeat the last one: nobody stores their sums. */
void find_sources(uint m0)
{
    [[unroll]] for (uint j = 0; j < LOADS_A; j++) {
        Pixel pixel = pixel_of(min(m0 + load_index(j) / FOURS_K, pixels - 1));
        samples[j] = pixel.n;
        sources[j] = ivec2(source_of(columns, pixel.x, 0, p.sw), source_of(rows, pixel.y, 0, p.sh));
    }
}

void aim(uint ty, uint tx)
{
    ivec2 step = SPREAD == 0 ? ivec2(tx, ty) : -ivec2(tx, ty);
    [[unroll]] for (uint j = 0; j < LOADS_A; j++) {
        int iy = padded(sources[j].y + step.y, int(p.in_h));
        int ix = padded(sources[j].x + step.x, int(p.in_w));
        uint pixel = (samples[j] * p.in_h + uint(iy)) * p.in_w + uint(ix);
        places[j] = iy < 0 || ix < 0 ? NOTHING : pixel * p.in_pixel + p.in_first;
    }
}

vec4 load_in(uint place, uint c)
{
    vec4 four = vec4(0.0);
    if (place == NOTHING || c >= p.in_c)
        return four;
    if (IN4 != 0)
        return x4[(place + c) / 4];
    [[unroll]] for (uint r = 0; r < 4; r++)
        if (c + r < p.in_c)
            four[r] = x[place + c + r];
    return four;
}

void fill_a(uint c0)
{
    [[unroll]] for (uint j = 0; j < LOADS_A; j++) {
        uint m = load_index(j) / FOURS_K, k = load_index(j) % FOURS_K;
        if (is_load(j, FOURS_M))
            tile_a[m * ROW_K + k] = load_in(places[j], c0 + k * 4);
    }
}

/* ---- the weights ---- */

/* Four weights from @c and @oc on, along whichever channels they lie. */
vec4 load_weights(uint tap, uint c, uint oc)
{
    uint place = tap * p.in_c * p.out_c + c * p.weight_in + oc * p.weight_out;
    uint left = ALONG_OUT != 0 ? p.out_c - oc : p.in_c - c;
    vec4 four = vec4(0.0);
    if (c >= p.in_c || oc >= p.out_c)
        return four;
    if (WEIGHT4 != 0)
        return weights4[place / 4];
    [[unroll]] for (uint r = 0; r < 4; r++)
        if (r < left)
            four[r] = weights[place + r];
    return four;
}

void fill_b(uint tap, uint c0, uint oc0)
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

/* ---- the sum ---- */

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

void sum_chunks(uint first, uint last, uint oc0, uint lane_m, uint lane_n)
{
    uint per_tap = (p.in_c + TILE_K - 1) / TILE_K, t = first / per_tap, tap = 0;
    uint c0 = first % per_tap * TILE_K;
    for (uint chunk = first; chunk < last; chunk++) {
        if (chunk == first || c0 == 0) {
            uint ty = t / columns.taps, tx = t % columns.taps;
            aim(ty, tx);
            tap = tap_of(rows, ty, p.sh) * p.kw + tap_of(columns, tx, p.sw);
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

void store_row(uint i, uint m, ivec2 phase, uint split, uint oc0, uint lane_n)
{
    Pixel q = pixel_of(m);
    uint oy = SPREAD == 0 ? q.y : q.y * p.sh + phase.y;
    uint ox = SPREAD == 0 ? q.x : q.x * p.sw + phase.x;
    uint pixel = (q.n * p.out_h + oy) * p.out_w + ox;
    [[unroll]] for (uint j = 0; j < THREAD_N; j++) {
        uint oc = oc0 + column_of(j / 4, lane_n) + j % 4;
        float sum = sums[i * (THREAD_N / 4) + j / 4][j % 4];
        if (oc >= p.out_c)
            continue;
        if (p.splits > 1)
            y[(split * p.n * p.out_h * p.out_w + pixel) * p.out_c + oc] = sum;
        else
            store(pixel, oc, sum);
    }
}

void main()
{
    uint lane_m = gl_LocalInvocationID.x / LANES_N, lane_n = gl_LocalInvocationID.x % LANES_N;
    uint group = gl_WorkGroupID.z * gl_NumWorkGroups.y + gl_WorkGroupID.y, rest = group / p.tiles;
    uint m0 = group % p.tiles * TILE_M, oc0 = gl_WorkGroupID.x * TILE_N;
    uint split = rest % p.splits, phase = rest / p.splits, wide = SPREAD == 0 ? 1 : p.sw;
    rows = side_of(phase / wide, p.kh, p.sh, p.pad_top, p.out_h);
    columns = side_of(phase % wide, p.kw, p.sw, p.pad_left, p.out_w);
    pixels = p.n * rows.pixels * columns.pixels;
    if (m0 >= pixels || phase >= phases())
        return;
    uint chunks = rows.taps * columns.taps * ((p.in_c + TILE_K - 1) / TILE_K);
    uint share = (chunks + p.splits - 1) / p.splits;

    clear_sums();
    find_sources(m0);
    sum_chunks(min(chunks, split * share), min(chunks, (split + 1) * share), oc0, lane_m, lane_n);
    [[unroll]] for (uint i = 0; i < THREAD_M; i++)
        if (m0 + row_of(i, lane_m) < pixels)
            store_row(i, m0 + row_of(i, lane_m), ivec2(phase % wide, phase / wide), split, oc0,
                      lane_n);
}
