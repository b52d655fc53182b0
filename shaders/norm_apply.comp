/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * A norm whose statistics are known.
 * Bindings: 0 the input map; 1 the output map, which may be the input; 2 the statistics, (groups, c)
 * twice, or the vectors again; 3 vectors.
 * Twins: apply_pixels() of cpu/cpu-norm.c, ref_forward().
 */
#include "tensor.glsl"
#include "norm.glsl"

layout(binding = 0) readonly buffer In { Stored x[]; };
layout(binding = 1) writeonly buffer Out { Stored y[]; };
layout(binding = 2) readonly buffer Stats { float stats[]; };
layout(binding = 3) readonly buffer Vectors { float vectors[]; };

#include "norm_apply.glsl"
#include "norm_recall.glsl"

void main()
{
    uint i = linear_index(), pixel = i / p.c, c = i % p.c;
    if (pixel >= p.groups * p.pixels)
        return;
    vec2 found = recall(pixel / p.pixels, c);
    float value = float(x[index_of(p.x, pixel, c)]);
    y[index_of(p.to, pixel, c)] = Stored(normalise(value, found, c));
}
