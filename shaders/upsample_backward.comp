/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * Every pixel gathers the gradients of its copies.
 * Bindings: 0 dy; 2 dx.  Twins: downsample_pixels() of cpu/cpu-move.c, ref_backward().
 */
#include "tensor.glsl"
#include "resize.glsl"
#include "resize_backward.glsl"

Span copies_of(uint i)
{
    return Span(int(i * p.factor), int((i + 1) * p.factor) - 1);
}

void main()
{
    uint i = linear_index();
    if (i >= p.count)
        return;
    Target t = target_of(i, p.h, p.w);
    store(t, sum_of(t.n, copies_of(t.y), copies_of(t.x), t.c));
}
