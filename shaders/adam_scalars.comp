/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * What a step of Adam depends on, when the figures are there: the scalars of adam.comp from those of
 * PixAdamCall. One invocation does all.
 * Bindings: 0 the figures; 1 the scalars for adam.comp; 4 those of the call.
 * Twin: find_scale() of cpu/cpu-learn.c.
 */
#include "tensor.glsl"
#include "figure.glsl"

layout(push_constant) uniform Push
{
    uint count;   /* figures */
    uint squares; /* which of them is the sum of the gradients' squares */
}
p;

layout(binding = 0) readonly buffer Figures { vec4 figures[]; };
layout(binding = 1) writeonly buffer Scalars { float scalars[]; };
layout(binding = 4) uniform Call
{
    float scale, beta1, share1, beta2, share2, rate, root, epsilon, longest;
}
call;

void main()
{
    bool moves = true;
    float scale = call.scale;
    if (linear_index() > 0)
        return;
    for (uint i = 0; i < p.count; i++)
        moves = moves && is_finite(figure_value(figures[i]));
    if (call.longest > 0.0) {
        float length = sqrt(figure_value(figures[p.squares])) * scale;
        if (length > call.longest)
            scale *= call.longest / length;
    }
    scalars[0] = scale;
    scalars[1] = call.beta1;
    scalars[2] = call.share1;
    scalars[3] = call.beta2;
    scalars[4] = call.share2;
    scalars[5] = call.rate;
    scalars[6] = call.root;
    scalars[7] = call.epsilon;
    scalars[8] = moves ? 1.0 : 0.0;
}
