/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * Ops on single elements: to (=|+=) something of a, or of a and b; all of one shape.
 * Bindings: 0 a; 1 b; 2 to, which may be a or b. Constant WHAT: of VulkanPointwise.
 * Twins: cpu/cpu-simple.c, cpu_put() and cpu_add_forward().
 */
#include "tensor.glsl"

layout(push_constant) uniform Push
{
    uint count, c; /* elements; channels */
    Place a, b, to;
    uint activation;
    float slope;
    uint adds;
}
p;

layout(constant_id = 10) const uint WHAT = 0;

layout(binding = 0) readonly buffer A { Stored a[]; };
layout(binding = 1) readonly buffer B { Stored b[]; };
layout(binding = 2) buffer To { Stored to[]; };

float value_of(uint pixel, uint c)
{
    if (WHAT == 0)
        return 0.0;
    float value = float(a[index_of(p.a, pixel, c)]);
    if (WHAT == 1)
        return value;
    if (WHAT == 2)
        return activate(p.activation, p.slope, value);
    float other = float(b[index_of(p.b, pixel, c)]);
    return WHAT == 3 ? value + other : value * activate_slope(p.activation, p.slope, other);
}

void main()
{
    uint i = linear_index();
    if (i >= p.count)
        return;
    uint pixel = i / p.c, c = i % p.c, at = index_of(p.to, pixel, c);
    float value = value_of(pixel, c);
    to[at] = Stored(p.adds != 0 ? float(to[at]) + value : value);
}
