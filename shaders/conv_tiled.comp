/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * Tiles of TILE_M pixels by TILE_N channels, the operands passing through shared memory TILE_K of
 * the sum at a time; each invocation keeps THREAD_M by THREAD_N sums.
 * Bindings: 0 the input map; 1 the weights; 2 the output map, or with splits the parts
 * (splits, n, out_h, out_w, out_c); 3 vectors.
 * Twins: conv_simple.comp, cpu/cpu-conv.c.
 */
#include "tensor.glsl"
#include "conv.glsl"
#include "conv_store.glsl"

layout(constant_id = 3) const uint TILE_M = 64;
layout(constant_id = 4) const uint TILE_N = 64;
layout(constant_id = 5) const uint TILE_K = 16;
layout(constant_id = 6) const uint THREAD_M = 4;
layout(constant_id = 7) const uint THREAD_N = 4;

layout(binding = 0) readonly buffer In { float x[]; };
layout(binding = 1) readonly buffer Weights { float weights[]; };

const uint GROUP = TILE_M / THREAD_M * (TILE_N / THREAD_N);
const uint ROW_M = TILE_M + 4, ROW_N = TILE_N + 4; /* other banks from row to row */
shared float tile_a[TILE_K * ROW_M];
shared float tile_b[TILE_K * ROW_N];

Side rows, columns;
uint pixels; /* of the phase */

/* One element of the gathered input. */
float load_a(uint m, uint k, uint depth)
{
    if (m >= pixels || k >= depth)
        return 0.0;
    uint qx = m % columns.pixels, rest = m / columns.pixels;
    uint qy = rest % rows.pixels, n = rest / rows.pixels;
    uint c = k % p.in_c, t = k / p.in_c;
    int iy = padded(source_of(rows, qy, t / columns.taps, p.sh), int(p.in_h));
    int ix = padded(source_of(columns, qx, t % columns.taps, p.sw), int(p.in_w));
    if (iy < 0 || ix < 0 || iy >= int(p.in_h) || ix >= int(p.in_w))
        return 0.0;
    return x[((n * p.in_h + uint(iy)) * p.in_w + uint(ix)) * p.in_pixel + p.in_first + c];
}

float load_b(uint oc, uint k, uint depth)
{
    if (oc >= p.out_c || k >= depth)
        return 0.0;
    uint c = k % p.in_c, t = k / p.in_c;
    uint tap = tap_of(rows, t / columns.taps, p.sh) * p.kw + tap_of(columns, t % columns.taps, p.sw);
    return weights[tap * p.in_c * p.out_c + c * p.weight_in + oc * p.weight_out];
}

/* Neighbours in memory are read by neighbours: channels of the input, and of the weights those whose
 * step is one. */
void load_tiles(uint m0, uint n0, uint k0, uint depth)
{
    for (uint i = gl_LocalInvocationID.x; i < TILE_K * TILE_M; i += GROUP)
        tile_a[i % TILE_K * ROW_M + i / TILE_K] = load_a(m0 + i / TILE_K, k0 + i % TILE_K, depth);
    for (uint i = gl_LocalInvocationID.x; i < TILE_K * TILE_N; i += GROUP) {
        uint k = p.weight_out == 1 ? i / TILE_N : i % TILE_K;
        uint oc = p.weight_out == 1 ? i % TILE_N : i / TILE_K;
        tile_b[k * ROW_N + oc] = load_b(n0 + oc, k0 + k, depth);
    }
}

float sums[THREAD_M * THREAD_N];

void multiply(uint tm, uint tn)
{
    for (uint k = 0; k < TILE_K; k++) {
        float a[THREAD_M], b[THREAD_N];
        for (uint i = 0; i < THREAD_M; i++)
            a[i] = tile_a[k * ROW_M + tm * THREAD_M + i];
        for (uint j = 0; j < THREAD_N; j++)
            b[j] = tile_b[k * ROW_N + tn * THREAD_N + j];
        for (uint i = 0; i < THREAD_M; i++)
            for (uint j = 0; j < THREAD_N; j++)
                sums[i * THREAD_N + j] += a[i] * b[j];
    }
}

void store_sum(uint m, uint oc, uint py, uint px, uint split, float sum)
{
    if (m >= pixels || oc >= p.out_c)
        return;
    uint qx = m % columns.pixels, rest = m / columns.pixels;
    uint qy = rest % rows.pixels, n = rest / rows.pixels;
    uint oy = SPREAD == 0 ? qy : qy * p.sh + py, ox = SPREAD == 0 ? qx : qx * p.sw + px;
    uint pixel = (n * p.out_h + oy) * p.out_w + ox;
    if (p.splits > 1)
        y[(split * p.n * p.out_h * p.out_w + pixel) * p.out_c + oc] = sum;
    else
        store(pixel, oc, sum);
}

void main()
{
    uint phases_x = SPREAD == 0 ? 1 : p.sw;
    uint split = gl_WorkGroupID.z % p.splits, phase = gl_WorkGroupID.z / p.splits;
    uint py = phase / phases_x, px = phase % phases_x;
    rows = side_of(py, p.kh, p.sh, p.pad_top, p.out_h);
    columns = side_of(px, p.kw, p.sw, p.pad_left, p.out_w);
    pixels = p.n * rows.pixels * columns.pixels;
    uint m0 = gl_WorkGroupID.x * TILE_M, n0 = gl_WorkGroupID.y * TILE_N;
    if (m0 >= pixels)
        return;
    uint depth = rows.taps * columns.taps * p.in_c;
    uint chunks = (depth + TILE_K - 1) / TILE_K;
    uint share = (chunks + p.splits - 1) / p.splits;
    uint tn = gl_LocalInvocationID.x % (TILE_N / THREAD_N);
    uint tm = gl_LocalInvocationID.x / (TILE_N / THREAD_N);

    for (uint i = 0; i < THREAD_M * THREAD_N; i++)
        sums[i] = 0.0;
    for (uint chunk = split * share; chunk < min(chunks, (split + 1) * share); chunk++) {
        load_tiles(m0, n0, chunk * TILE_K, depth);
        barrier();
        multiply(tm, tn);
        barrier();
    }
    for (uint i = 0; i < THREAD_M; i++)
        for (uint j = 0; j < THREAD_N; j++)
            store_sum(m0 + tm * THREAD_M + i, n0 + tn * THREAD_N + j, py, px, split,
                      sums[i * THREAD_N + j]);
}
