/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * Batch or instance norm of a small map at once, and a dropout: each workgroup measures some channels
 * of a group and normalises them. An invocation writes only what it alone has read: out may be the
 * input.
 * Bindings: 0 the input map, or the parts of it; 1 the output map; 2 the statistics (groups, c)
 * twice; 3 vectors; 4 the frame.
 * Twins: norm_measure.comp with norm_finish.comp, cpu/cpu-norm.c.
 */
#include "tensor.glsl"
#include "norm.glsl"
#include "norm_rows.glsl"

layout(binding = 1) writeonly buffer Out { Stored y[]; };
layout(binding = 2) writeonly buffer Stats { float stats[]; };
layout(binding = 3) buffer Vectors { float vectors[]; };

#include "norm_apply.glsl"
#include "norm_drop.glsl"
#include "norm_keep.glsl"
#include "norm_measure.glsl"

void main()
{
    uint c = channel(), group = gl_WorkGroupID.z;
    uint first = group * p.pixels, last = first + p.pixels;
    vec2 measured = measure(first, last, c);
    if (c >= p.c)
        return;
    vec2 found = finished(measured.x, measured.y);
    for (uint i = first + row(); i < last; i += rows())
        y[index_of(p.to, i, c)] = Stored(drop(normalise(x_at(i, c), found, c), i, c));
    if (row() == 0)
        keep(group, c, found, measured.y);
}
