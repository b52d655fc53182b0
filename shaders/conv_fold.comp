/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * From the gradient of a map with a reflected or replicated border to that of the map: each pixel
 * takes the gradients of all that it was copied to.
 * Bindings: 0 the padded gradient; 2 the gradient. Twin: fold() of cpu/cpu-conv-backward.c.
 */
#include "tensor.glsl"
#include "conv.glsl"

layout(binding = 0) readonly buffer Padded { float padded_map[]; };
layout(binding = 2) buffer Gradient { float gradient[]; };

/* Candidate @i for a row or column that shows @at: those of the border, and itself. */
int candidate(uint i, uint at, int before, uint side)
{
    return int(i) < before ? int(i) - before : int(i) == before ? int(at) : int(side + i) - before - 1;
}

float sum_row(uint n, int py, uint x, uint c)
{
    float sum = 0.0;
    for (uint i = 0; i <= p.in_w - p.out_w; i++) {
        int px = candidate(i, x, p.pad_left, p.out_w);
        uint pixel = (n * p.in_h + uint(py + p.pad_top)) * p.in_w + uint(px + p.pad_left);
        if (padded(px, int(p.out_w)) == int(x))
            sum += padded_map[pixel * p.in_c + c];
    }
    return sum;
}

void main()
{
    uint i = linear_index();
    uint pixel = i / p.out_c, c = i % p.out_c;
    if (pixel >= p.n * p.out_h * p.out_w)
        return;
    uint x = pixel % p.out_w, y = pixel / p.out_w % p.out_h, n = pixel / p.out_w / p.out_h;
    uint place = pixel * p.out_pixel + p.out_first + c;
    float sum = p.adds != 0 ? gradient[place] : 0.0;
    for (uint j = 0; j <= p.in_h - p.out_h; j++) {
        int py = candidate(j, y, p.pad_top, p.out_h);
        if (padded(py, int(p.out_h)) == int(y))
            sum += sum_row(n, py, x, c);
    }
    gradient[place] = sum;
}
