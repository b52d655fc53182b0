/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * Every pixel gathers the gradients of itself and of its copies in the padding.
 * Bindings: 0 dy; 2 dx.  Twins: unpad_pixels() of cpu/cpu-move.c, ref_backward().
 */
#include "tensor.glsl"
#include "resize.glsl"
#include "resize_backward.glsl"

const Span none = Span(0, -1);

Span one(bool exists, int i)
{
    return exists ? Span(i, i) : none;
}

/* Where row or column @i goes: to itself, and into the padding @before and @after. */
Span[3] copies_of(int i, int side, int before, int after)
{
    Span self = Span(i + before, i + before);
    if (p.mode == 1)
        return Span[3](self, one(i > 0 && i <= before, before - i),
                       one(i < side - 1 && side - 1 - i <= after, before + 2 * (side - 1) - i));
    if (p.mode == 2)
        return Span[3](self, i == 0 ? Span(0, before - 1) : none,
                       i == side - 1 ? Span(before + side, before + side + after - 1) : none);
    return Span[3](self, none, none);
}

void main()
{
    uint i = linear_index();
    if (i >= p.count)
        return;
    Target t = target_of(i, p.h, p.w);
    Span rows[3] = copies_of(int(t.y), int(p.h), p.top, p.bottom);
    Span columns[3] = copies_of(int(t.x), int(p.w), p.left, p.right);
    float sum = 0.0;
    for (int r = 0; r < 3; r++)
        for (int s = 0; s < 3; s++)
            sum += sum_of(t.n, rows[r], columns[s], t.c);
    store(t, sum);
}
