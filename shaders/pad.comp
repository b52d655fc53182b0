/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * Adds pixels on each side of a map: zeros, or copies of its own.
 * Bindings: 0 the input map; 2 the output map.  Twins: pad_pixels() of cpu/cpu-move.c, ref_forward().
 */
#include "tensor.glsl"
#include "resize.glsl"

layout(binding = 0) readonly buffer In { Stored x[]; };
layout(binding = 2) writeonly buffer Out { Stored y[]; };

/* Where row or column @i comes from; -1: it is zero. */
int source_of(int i, int side)
{
    if (i >= 0 && i < side)
        return i;
    if (p.mode == 0)
        return -1;
    if (p.mode == 2)
        return clamp(i, 0, side - 1);
    i = abs(i);
    return i < side ? i : 2 * (side - 1) - i;
}

void main()
{
    uint i = linear_index();
    if (i >= p.count)
        return;
    Target t = target_of(i, p.oh, p.ow);
    int iy = source_of(int(t.y) - p.top, int(p.h)), ix = source_of(int(t.x) - p.left, int(p.w));
    bool zero = iy < 0 || ix < 0;
    uint from = index_of(p.x, (t.n * p.h + uint(iy)) * p.w + uint(ix), t.c);
    y[index_of(p.y, t.at, t.c)] = Stored(zero ? 0.0 : float(x[from]));
}
