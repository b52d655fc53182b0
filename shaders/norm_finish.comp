/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * From the statistics of pieces to the normalised map, and a dropout: each workgroup merges those of
 * some channels for itself, and does one piece. An invocation writes only what it alone has read: out
 * may be the input.
 * Bindings: 0 the input map, or the parts of it; 1 the output map; 2 the parts of the statistics
 * (groups, pieces, c, 2); 3 vectors; 4 the frame.
 * Twins: norm_merge.comp with norm_apply.comp, cpu/cpu-norm.c.
 */
#include "tensor.glsl"
#include "norm.glsl"
#include "norm_rows.glsl"

layout(binding = 1) writeonly buffer Out { Stored y[]; };
layout(binding = 2) readonly buffer Parts { float parts[]; };
layout(binding = 3) readonly buffer Vectors { float vectors[]; };

#include "norm_apply.glsl"
#include "norm_drop.glsl"
#include "norm_measure.glsl"
#include "norm_merge.glsl"

void main()
{
    uint c = channel(), piece = gl_WorkGroupID.y, group = gl_WorkGroupID.z;
    uint first = piece * p.piece, last = min(first + p.piece, p.pixels);
    vec2 merged = merge(group, c);
    if (c >= p.c)
        return;
    vec2 found = finished(merged.x, merged.y);
    for (uint i = first + row(); i < last; i += rows()) {
        uint pixel = group * p.pixels + i;
        float value = drop(normalise(x_at(pixel, c), found, c), pixel, c);
        y[index_of(p.to, pixel, c)] = Stored(value);
    }
}
