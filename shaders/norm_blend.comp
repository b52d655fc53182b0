/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * to (=|+=) v * factor 0 + (x - mean) * factor 1 + factor 2.
 * Bindings: 0 the map v; 1 the map x; 2 the factors (sets, groups, c, 4): those three and the mean;
 * 3 the map to, which may be v.
 * Twin: cpu_norm_blend() of cpu/cpu-norm-backward.c.
 */
#include "tensor.glsl"
#include "norm.glsl"

layout(binding = 0) readonly buffer V { float v[]; };
layout(binding = 1) readonly buffer X { float x[]; };
layout(binding = 2) readonly buffer Factors { vec4 factors[]; };
layout(binding = 3) buffer To { float to[]; };

void main()
{
    uint i = linear_index(), pixel = i / p.c, c = i % p.c, group = pixel / p.pixels;
    if (group >= p.groups)
        return;
    vec4 factor = factors[(p.set * p.groups + group) * p.c + c];
    float value = v[index_of(p.v, pixel, c)] * factor.x + factor.z;
    value += (x[index_of(p.x, pixel, c)] - factor.w) * factor.y;
    uint at = index_of(p.to, pixel, c);
    to[at] = p.adds != 0 ? to[at] + value : value;
}
