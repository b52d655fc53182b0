/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * Statistics of one piece of a map: for each channel the mean and the sum of squared distances.
 * Bindings: 0 the input map, or the parts of it; 1 the parts (groups, pieces, c, 2).
 * Twin: cpu/cpu-norm-sum.c.
 */
#include "tensor.glsl"
#include "norm.glsl"
#include "norm_rows.glsl"

layout(binding = 1) writeonly buffer Parts { float parts[]; };

#include "norm_measure.glsl"

void main()
{
    uint c = channel(), piece = gl_WorkGroupID.y, group = gl_WorkGroupID.z;
    uint first = piece * p.piece, last = min(first + p.piece, p.pixels);
    vec2 measured = measure(group * p.pixels + first, group * p.pixels + last, c);
    if (c >= p.c || row() > 0)
        return;
    uint at = part_of(0, group, piece, c);
    parts[at] = measured.x;
    parts[at + 1] = measured.y;
}
