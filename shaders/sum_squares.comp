/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * The sum of the squares of count floats from first on.
 * Bindings: 0 the floats; 3 the parts.
 * Twin: cpu_sum_squares() of cpu/cpu-learn.c.
 */
#include "tensor.glsl"
#include "sum_terms.glsl"

layout(push_constant) uniform Push
{
    uint first, count;
    uint each; /* floats of one invocation */
}
p;

layout(binding = 0) readonly buffer In { float x[]; };

float term(uint i)
{
    float value = x[p.first + i];
    return value * value;
}

void main()
{
    make_part(p.count, p.each);
}
