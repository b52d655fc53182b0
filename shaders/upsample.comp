/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * Repeats every pixel, factor by factor times.
 * Bindings: 0 the input map; 2 the output map.
 * Twins: upsample_pixels() of cpu/cpu-move.c, ref_forward().
 */
#include "tensor.glsl"
#include "resize.glsl"

layout(binding = 0) readonly buffer In { Stored x[]; };
layout(binding = 2) writeonly buffer Out { Stored y[]; };

void main()
{
    uint i = linear_index();
    if (i >= p.count)
        return;
    Target t = target_of(i, p.oh, p.ow);
    uint from = (t.n * p.h + t.y / p.factor) * p.w + t.x / p.factor;
    y[index_of(p.y, t.at, t.c)] = x[index_of(p.x, from, t.c)];
}
