/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * y = x, for channels of two maps.
 * Bindings: 0 x; 1 y.
 * Twin: cpu_copy() of cpu/cpu-learn.c.
 */
#include "tensor.glsl"

layout(push_constant) uniform Push
{
    uint count, c; /* elements; channels */
    uint x_pixel, x_first;
    uint y_pixel, y_first;
}
p;

layout(binding = 0) readonly buffer From { float x[]; };
layout(binding = 1) writeonly buffer To { float y[]; };

void main()
{
    uint i = linear_index(), pixel = i / p.c, channel = i % p.c;
    if (i < p.count)
        y[pixel * p.y_pixel + p.y_first + channel] = x[pixel * p.x_pixel + p.x_first + channel];
}
