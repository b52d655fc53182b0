/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * The gradient of the bias, in parts: sums over pixels for each channel. A group takes LANES
 * channels of one part's pixels, its rows of LANES invocations every so many pixels.
 * Bindings: 0 the gradient of the output; 2 the parts (splits, c). conv_finish.comp adds them.
 * Twin: output_backward() of cpu/cpu-conv-backward.c.
 */
#include "tensor.glsl"
#include "conv.glsl"

layout(constant_id = 3) const uint LANES = 32;
layout(constant_id = 4) const uint ROWS = 4;

layout(binding = 0) readonly buffer Gradient { float dout[]; };
layout(binding = 2) writeonly buffer Parts { float parts[]; };

shared float sums[LANES * ROWS];

float sum_pixels(uint first, uint last, uint c)
{
    float sum = 0.0;
    for (uint pixel = first; pixel < last; pixel += ROWS)
        sum += dout[pixel * p.in_pixel + p.in_first + c];
    return sum;
}

void main()
{
    uint lane = gl_LocalInvocationID.x % LANES, row = gl_LocalInvocationID.x / LANES;
    uint c = gl_WorkGroupID.x * LANES + lane, split = gl_WorkGroupID.y;
    uint pixels = p.n * p.in_h * p.in_w, share = (pixels + p.splits - 1) / p.splits;
    uint last = min(pixels, (split + 1) * share);
    sums[gl_LocalInvocationID.x] = c < p.in_c ? sum_pixels(split * share + row, last, c) : 0.0;
    barrier();
    if (row != 0 || c >= p.in_c)
        return;
    float sum = 0.0;
    for (uint i = 0; i < ROWS; i++)
        sum += sums[i * LANES + lane];
    parts[split * p.in_c + c] = sum;
}
