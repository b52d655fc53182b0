/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * y += share * (x - y), on count floats.
 * Bindings: 0 y; 1 x.
 * Twin: cpu_approach() of cpu/cpu-learn.c.
 */
#include "tensor.glsl"

layout(push_constant) uniform Push
{
    uint count;
    float share;
}
p;

layout(binding = 0) buffer To { float y[]; };
layout(binding = 1) readonly buffer From { float x[]; };

void main()
{
    uint i = linear_index();
    if (i < p.count)
        y[i] += p.share * (x[i] - y[i]);
}
