/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * The statistics of a map from those of its pieces.
 * Bindings: 0 the parts (groups, pieces, c, 2); 2 the statistics (groups, c) twice; 3 vectors.
 * Source: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm", 1979.
 * Twin: cpu_norm_measure() of cpu/cpu-norm.c.
 */
#include "tensor.glsl"
#include "norm.glsl"
#include "norm_rows.glsl"

layout(binding = 0) readonly buffer Parts { float parts[]; };
layout(binding = 2) writeonly buffer Stats { float stats[]; };
layout(binding = 3) buffer Vectors { float vectors[]; };

#include "norm_keep.glsl"

/* Mean and sum of squared distances; distances of means are taken from that of the first piece. */
vec2 merge(uint group, uint c)
{
    uint start = c < p.c ? row() : p.pieces;
    float base = c < p.c ? parts[part_of(0, group, 0, c)] : 0.0, sum = 0.0;
    for (uint i = start; i < p.pieces; i += rows())
        sum += pixels_of(i) * (parts[part_of(0, group, i, c)] - base);
    float mean = base + add_rows(vec2(sum, 0.0)).x / float(p.pixels), squares = 0.0;
    for (uint i = start; i < p.pieces; i += rows()) {
        uint at = part_of(0, group, i, c);
        float off = parts[at] - mean;
        squares += parts[at + 1] + pixels_of(i) * off * off;
    }
    return vec2(mean, add_rows(vec2(squares, 0.0)).x);
}

void main()
{
    uint c = channel(), group = gl_WorkGroupID.z;
    vec2 merged = merge(group, c);
    if (c < p.c && row() == 0)
        keep(group, c, finished(merged.x, merged.y), merged.y);
}
