/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * For each channel of one piece of a map the sums of v and of v * xhat, where xhat = (x - mean) *
 * rstd; without statistics xhat is x.
 * Bindings: 0 the map v; 1 the map x; 2 the statistics, (groups, c) twice, or vectors; 3 the parts
 * (sets, groups, pieces, c, 2).
 * Twin: cpu_norm_sum() of cpu/cpu-norm-sum.c.
 */
#include "tensor.glsl"
#include "norm.glsl"
#include "norm_rows.glsl"

layout(binding = 0) readonly buffer V { float v[]; };
layout(binding = 1) readonly buffer X { float x[]; };
layout(binding = 2) readonly buffer Stats { float stats[]; };
layout(binding = 3) writeonly buffer Parts { float parts[]; };

#include "norm_recall.glsl"

void main()
{
    uint c = channel(), piece = gl_WorkGroupID.y, group = gl_WorkGroupID.z;
    uint first = piece * p.piece, last = min(first + p.piece, p.pixels);
    vec2 sums = vec2(0.0);
    if (c < p.c) {
        vec2 found = p.mean != NOTHING ? recall(group, c) : vec2(0.0, 1.0);
        for (uint i = group * p.pixels + first + row(); i < group * p.pixels + last; i += rows()) {
            float value = v[index_of(p.v, i, c)], hat = x[index_of(p.x, i, c)] - found.x;
            sums += vec2(value, value * hat * found.y);
        }
    }
    sums = add_rows(sums);
    if (c >= p.c || row() > 0)
        return;
    uint at = part_of(p.set, group, piece, c);
    parts[at] = sums.x;
    parts[at + 1] = sums.y;
}
