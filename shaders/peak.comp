/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * Independent float32 multiply-adds in registers, CHAINS times p.rounds for each invocation: what the
 * device can do at most.
 * Bindings: 0 one float, written if the sum is what it never is, so that nothing is left out.
 * Twin: none.
 */
#include "tensor.glsl"

const int CHAINS = 16;

layout(push_constant) uniform Push
{
    uint rounds;
    float factor, term; /* below 1 in magnitude, so that values stay normal numbers */
}
p;

layout(binding = 0) writeonly buffer Out { float y[]; };

void main()
{
    float values[CHAINS];
    for (int i = 0; i < CHAINS; i++)
        values[i] = float(gl_LocalInvocationID.x + uint(i));
    for (uint round = 0; round < p.rounds; round++)
        for (int i = 0; i < CHAINS; i++)
            values[i] = fma(values[i], p.factor, p.term);
    float sum = 0.0;
    for (int i = 0; i < CHAINS; i++)
        sum += values[i];
    if (sum == -1.0)
        y[0] = sum;
}
