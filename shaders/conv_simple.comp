/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * One output value for each invocation: the variant that the fast ones must beat.
 * Bindings: 0 the input map; 1 the weights; 2 the output map; 3 vectors.
 * Twins: cpu/cpu-conv.c, ref_conv() and ref_deconv() of tests/ref/ref-ops.c.
 */
#include "tensor.glsl"
#include "conv.glsl"
#include "conv_store.glsl"

layout(binding = 0) readonly buffer In { Stored x[]; };
layout(binding = 1) readonly buffer Weights { Stored weights[]; };

float sum_of(uint n, uint oy, uint ox, uint oc)
{
    uint py = spreads() ? oy % p.sh : 0, px = spreads() ? ox % p.sw : 0;
    Side rows = side_of(py, p.kh, p.sh, p.pad_top, p.out_h);
    Side columns = side_of(px, p.kw, p.sw, p.pad_left, p.out_w);
    uint qy = spreads() ? oy / p.sh : oy, qx = spreads() ? ox / p.sw : ox;
    float sum = 0.0;
    for (uint ty = 0; ty < rows.taps; ty++) {
        int iy = padded(source_of(rows, qy, ty, p.sh), int(p.in_h));
        if (iy < 0 || iy >= int(p.in_h))
            continue;
        for (uint tx = 0; tx < columns.taps; tx++) {
            int ix = padded(source_of(columns, qx, tx, p.sw), int(p.in_w));
            if (ix < 0 || ix >= int(p.in_w))
                continue;
            uint tap = tap_of(rows, ty, p.sh) * p.kw + tap_of(columns, tx, p.sw);
            uint a = ((n * p.in_h + uint(iy)) * p.in_w + uint(ix)) * p.in_pixel + p.in_first;
            uint b = tap * p.in_c * p.out_c + oc * p.weight_out;
            for (uint c = 0; c < p.in_c; c++)
                sum += rectified(vec4(x[a + c])).x * float(weights[b + c * p.weight_in]);
        }
    }
    return sum;
}

void main()
{
    uint i = linear_index();
    uint pixel = i / p.out_c, oc = i % p.out_c;
    if (pixel >= p.n * p.out_h * p.out_w)
        return;
    uint ox = pixel % p.out_w, oy = pixel / p.out_w % p.out_h, n = pixel / p.out_w / p.out_h;
    store(0, pixel, oc, sum_of(n, oy, ox, oc));
}
