/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * The statistics of a map from those of its pieces.
 * Bindings: 0 the parts (groups, pieces, c, 2); 2 the statistics (groups, c) twice; 3 vectors.
 * Twin: cpu_norm_measure() of cpu/cpu-norm.c.
 */
#include "tensor.glsl"
#include "norm.glsl"
#include "norm_rows.glsl"

layout(binding = 0) readonly buffer Parts { float parts[]; };
layout(binding = 2) writeonly buffer Stats { float stats[]; };
layout(binding = 3) buffer Vectors { float vectors[]; };

#include "norm_keep.glsl"
#include "norm_merge.glsl"

void main()
{
    uint c = channel(), group = gl_WorkGroupID.z;
    vec2 merged = merge(group, c);
    if (c < p.c && row() == 0)
        keep(group, c, finished(merged.x, merged.y), merged.y);
}
