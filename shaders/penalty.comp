/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * The mean over n samples of (|g| - 1)^2, and in the place of g its gradient times weight.
 * Bindings: 0 the figures |g|^2 of the samples; 1 g; 2 the figures, of which one is the result.
 * Twin: cpu_penalty() of cpu/cpu-penalty.c.
 */
#include "tensor.glsl"
#include "figure.glsl"
#include "sum.glsl"

layout(push_constant) uniform Push
{
    uint n, each, all; /* samples; elements of one; samples with those of other dispatches */
    uint index, adds;  /* of the result; to what it is */
    float weight;
}
p;

layout(binding = 0) readonly buffer Squares { vec4 squares[]; };
layout(binding = 1) buffer Gradient { float g[]; };
layout(binding = 2) buffer Figures { vec4 figures[]; };

void main()
{
    uint i = linear_index();
    if (i == 0) {
        vec2 sum = p.adds != 0 ? figures[p.index].xy : vec2(0.0);
        for (uint n = 0; n < p.n; n++) {
            float away = sqrt(figure_value(squares[n])) - 1.0;
            sum = add(sum, vec2(away * away, 0.0));
        }
        figures[p.index] = vec4(sum, float(p.all), 0.0);
    }
    if (i >= p.n * p.each)
        return;
    float norm = sqrt(figure_value(squares[i / p.each]));
    g[i] *= norm > 0.0 ? p.weight * 2.0 * (norm - 1.0) / norm / float(p.all) : 0.0;
}
