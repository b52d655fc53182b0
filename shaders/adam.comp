/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * One step of Adam on count weights.
 * Bindings: 0 the weights; 1 their gradients; 2 m; 3 v; 4 what adam_scalars.comp has made.
 * Twins: cpu_adam() of cpu/cpu-learn.c, ref_adam() of tests/ref/ref-learn.c.
 */
#include "tensor.glsl"

layout(push_constant) uniform Push
{
    uint count;
}
p;

layout(binding = 0) buffer Weights { float weights[]; };
layout(binding = 1) readonly buffer Gradients { float gradients[]; };
layout(binding = 2) buffer First { float m[]; };
layout(binding = 3) buffer Second { float v[]; };
layout(binding = 4) uniform Scalars
{
    float scale, beta1, share1, beta2, share2, rate, root, epsilon, moves;
}
adam;

void main()
{
    uint i = linear_index();
    if (i >= p.count || adam.moves == 0.0)
        return;
    float g = adam.scale * gradients[i];
    float first = adam.beta1 * m[i] + adam.share1 * g;
    float second = adam.beta2 * v[i] + adam.share2 * g * g;
    m[i] = first;
    v[i] = second;
    weights[i] -= adam.rate * first / (sqrt(second) * adam.root + adam.epsilon);
}
