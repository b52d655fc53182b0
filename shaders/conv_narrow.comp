/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * A convolution to at most four channels: no input is read twice by a group, so that it need not pass
 * through shared memory. LANES invocations take turns at the channels of the same PIXELS pixels, and
 * add up what they have at the end.
 * Bindings as in conv_tiled.comp. Twins: conv_simple.comp, cpu/cpu-conv-narrow.c.
 */
#include "tensor.glsl"
#include "conv.glsl"
#include "conv_store.glsl"
#include "conv_gather.glsl"

layout(constant_id = 3) const uint TEAMS = 16;
layout(constant_id = 4) const uint LANES = 8;
layout(constant_id = 5) const uint PIXELS = 4;

const uint TILE = TEAMS * PIXELS; /* pixels of a group */
shared vec4 parts[TILE * LANES];

Source sources[PIXELS];
vec4 sums[PIXELS];

/* Pixel of the tile of the sums @i. */
uint row_of(uint i)
{
    return i * TEAMS + gl_LocalInvocationID.x / LANES;
}

/* The four weights of each of four channels on the side on which they lie. */
mat4 load_matrix(Tap tap, uint c)
{
    mat4 matrix;
    [[unroll]] for (uint r = 0; r < 4; r++)
        matrix[r] = ALONG_OUT != 0 ? load_weights(tap, c + r, 0) : load_weights(tap, c, r);
    return matrix;
}

void sum_chunks()
{
    uint per_tap = (p.in_c + LANES * 4 - 1) / (LANES * 4), t = first_chunk / per_tap;
    uint c0 = first_chunk % per_tap * LANES * 4, places[PIXELS];
    Tap tap;
    for (uint chunk = first_chunk; chunk < last_chunk; chunk++) {
        if (chunk == first_chunk || c0 == 0) {
            tap = tap_at(t);
            [[unroll]] for (uint i = 0; i < PIXELS; i++)
                places[i] = place_of(sources[i], tap);
        }
        uint c = c0 + gl_LocalInvocationID.x % LANES * 4;
        mat4 matrix = load_matrix(tap, c);
        [[unroll]] for (uint i = 0; i < PIXELS; i++) {
            vec4 a = load_in(places[i], c);
            sums[i] += ALONG_OUT != 0 ? matrix * a : a * matrix;
        }
        c0 += LANES * 4;
        if (c0 >= p.in_c) {
            c0 = 0;
            t++;
        }
    }
}

void main()
{
    uint invocation = gl_LocalInvocationID.x;
    if (!begin(TILE, LANES * 4))
        return;
    [[unroll]] for (uint i = 0; i < PIXELS; i++) {
        sources[i] = source_of_pixel(first_pixel + row_of(i));
        sums[i] = vec4(0.0);
    }
    sum_chunks();
    [[unroll]] for (uint i = 0; i < PIXELS; i++)
        parts[row_of(i) * LANES + invocation % LANES] = sums[i];
    barrier();
    for (uint m = invocation; m < TILE; m += TEAMS * LANES) {
        vec4 sum = parts[m * LANES];
        for (uint lane = 1; lane < LANES; lane++)
            sum += parts[m * LANES + lane];
        store_sums(first_pixel + m, 0, sum);
    }
}
