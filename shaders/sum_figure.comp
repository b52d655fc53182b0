/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * Adds up what sum_terms.glsl has made, in one group: a figure, see figure.glsl.
 * Bindings: 0 the parts; 1 the figures.
 */
#include "tensor.glsl"
#include "sum.glsl"

layout(push_constant) uniform Push
{
    uint count; /* parts */
    uint index; /* of the figure */
    float divisor;
}
p;

layout(binding = 0) readonly buffer Parts { vec2 parts[]; };
layout(binding = 1) buffer Figures { vec4 figures[]; };

void main()
{
    uint me = gl_LocalInvocationID.x;
    vec2 sum = vec2(0.0);
    for (uint i = me; i < p.count; i += gl_WorkGroupSize.x)
        sum = add(sum, parts[i]);
    sum_up(sum);
    if (me == 0)
        figures[p.index] = vec4(sums[0], p.divisor, 0.0);
}
