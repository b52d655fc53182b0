/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * y = share * y + (1 - share) * x, with one share in [0, 1) for each sample, drawn by chance.
 * Bindings: 0 x; 1 y; 4 what is drawn.
 * Twin: cpu_mix() of cpu/cpu-penalty.c.
 */
#include "tensor.glsl"
#include "rng.glsl"

layout(push_constant) uniform Push
{
    uint count, c, pixels; /* elements of all; channels; pixels of a sample */
    Place x, y;
    uint stream;
}
p;

layout(binding = 0) readonly buffer From { float x[]; };
layout(binding = 1) buffer To { float y[]; };
layout(binding = 4) uniform Key { uvec2 seed, number; };

void main()
{
    uint i = linear_index(), pixel = i / p.c, channel = i % p.c, n = pixel / p.pixels;
    if (i >= p.count)
        return;
    float share = float(draw_block(seed, number, p.stream, n / 4)[n % 4]) / 4294967296.0;
    uint at = index_of(p.y, pixel, channel);
    y[at] = share * y[at] + (1.0 - share) * x[index_of(p.x, pixel, channel)];
}
