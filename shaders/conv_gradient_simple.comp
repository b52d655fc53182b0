/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * One weight's gradient for each invocation: the variant that conv_gradient_tiled.comp must beat.
 * Bindings: 0 the gathered map; 1 the direct map; 2 the gradient (kh, kw, c, oc).
 * Twins: cpu/cpu-conv-gradient.c, ref_conv_backward() of tests/ref/ref-conv-backward.c.
 */
#include "tensor.glsl"
#include "conv.glsl"
#include "conv_gradient.glsl"

float sum_of(Row row, uint oc)
{
    float sum = 0.0;
    for (uint n = 0; n < p.n; n++)
        for (uint y = 0; y < p.out_h; y++)
            for (uint x = 0; x < p.out_w; x++) {
                uint a = gathered_place(n, y, x, row.ky, row.kx);
                uint b = ((n * p.out_h + y) * p.out_w + x) * p.out_pixel + p.out_first;
                if (a != NOTHING)
                    sum += gathered[a + row.c] * direct[b + oc];
            }
    return sum;
}

void main()
{
    uint i = linear_index();
    uint m = i / p.out_c, oc = i % p.out_c;
    if (m < row_count())
        store_gradient(gradient_place(m, oc), 0, sum_of(row_at(m), oc));
}
