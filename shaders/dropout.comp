/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * Drops elements and scales the others; the way back draws the very same mask. An invocation does
 * four pixels of a channel. Masks count elements in NCHW order, where those four are neighbours: one
 * block of the mask, or parts of two.
 * Bindings: 0 the input map; 2 the output map, which may be the input; 4 the frame.
 * Twins: drop_channels() of cpu/cpu-simple.c, ref_forward().
 */
#include "tensor.glsl"
#include "rng.glsl"

layout(push_constant) uniform Push
{
    uint n, c, pixels; /* of a sample */
    Place x, y;
    uint layer, threshold;
    float scale;
    uint adds;
}
p;

layout(binding = 0) readonly buffer In { Stored x[]; };
layout(binding = 2) buffer Out { Stored y[]; };
layout(binding = 4) uniform Frame { uvec2 seed, number; };

void main()
{
    uint quads = (p.pixels + 3) / 4, i = linear_index();
    uint c = i % p.c, quad = i / p.c % quads, n = i / p.c / quads;
    if (n >= p.n)
        return;
    uint first = (n * p.c + c) * p.pixels + quad * 4, skip = first % 4;
    uvec4 words = draw_block(seed, number, p.layer, first / 4);
    uvec4 more = skip == 0 ? words : draw_block(seed, number, p.layer, first / 4 + 1);
    for (uint j = 0; j < min(4, p.pixels - quad * 4); j++) {
        uint word = skip + j < 4 ? words[skip + j] : more[skip + j - 4];
        uint pixel = n * p.pixels + quad * 4 + j, at = index_of(p.y, pixel, c);
        float value = word < p.threshold ? 0.0 : float(x[index_of(p.x, pixel, c)]) * p.scale;
        y[at] = Stored(p.adds != 0 ? float(y[at]) + value : value);
    }
}
