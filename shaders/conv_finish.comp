/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * Adds the parts of a convolution whose sum was split, in their order, and finishes it.
 * Bindings: 0 the parts (splits, n, out_h, out_w, out_c); 2 the output map; 3 vectors.
 */
#include "tensor.glsl"
#include "conv.glsl"
#include "conv_store.glsl"

layout(binding = 0) readonly buffer Parts { float parts[]; };

void main()
{
    uint i = linear_index(), count = p.n * p.out_h * p.out_w * p.out_c;
    if (i >= count)
        return;
    float sum = parts[i];
    for (uint split = 1; split < p.splits; split++)
        sum += parts[split * count + i];
    store(0, i / p.out_c, i % p.out_c, sum);
}
