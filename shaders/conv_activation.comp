/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * The way back of the activation that a convolution ends with, on the spot: dout becomes the
 * gradient of the sum.
 * Bindings: 0 the convolution's output; 2 dout. Twin: output_backward() of
 * cpu/cpu-conv-backward.c.
 */
#include "tensor.glsl"
#include "conv.glsl"

layout(binding = 0) readonly buffer Out { float y[]; };
layout(binding = 2) buffer Gradient { float dout[]; };

void main()
{
    uint i = linear_index();
    uint pixel = i / p.out_c, oc = i % p.out_c;
    if (pixel >= p.n * p.out_h * p.out_w)
        return;
    float value = y[pixel * p.in_pixel + p.in_first + oc];
    dout[pixel * p.out_pixel + p.out_first + oc] *= activate_slope(p.activation, p.slope, value);
}
