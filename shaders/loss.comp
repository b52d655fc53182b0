/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * A loss of the map x, summed over all elements, and its gradient.
 * Bindings: 0 x; 1 the target; 2 dx; 3 the parts of the sum.
 * Twins: cpu/cpu-loss.c, ref_loss() of tests/ref/ref-learn.c.
 */
#include "tensor.glsl"
#include "sum_terms.glsl"

layout(push_constant) uniform Push
{
    uint count, c; /* elements; channels */
    Place x, target, dx;
    uint each;       /* elements of one invocation */
    uint has_target; /* else it is label */
    uint has_dx, adds;
    float label, scale; /* of the gradient */
}
p;

layout(constant_id = 10) const uint KIND = 0; /* of PixLossKind */

layout(binding = 0) readonly buffer In { float x[]; };
layout(binding = 1) readonly buffer Target { float targets[]; };
layout(binding = 2) buffer Gradient { float dx[]; };

/* log(1 + e) for e in [0, 1]: 2 artanh(s). Drivers' logarithms are not exact near 1. */
float log_of_one_and(float e)
{
    float s = e / (2.0 + e), z = s * s, sum = 1.0 / 15.0;
    for (int odd = 13; odd > 0; odd -= 2)
        sum = sum * z + 1.0 / float(odd);
    return 2.0 * s * sum;
}

/* log(1 + exp(x)) - x * t, and its slope: nothing overflows and nothing cancels. */
float bce(float x, float t, out float slope)
{
    float e = exp(-abs(x)), tail = e / (1.0 + e); /* sigmoid(-|x|) */
    slope = x < 0.0 ? tail - t : (1.0 - t) - tail;
    return (x < 0.0 ? -x * t : x * (1.0 - t)) + log_of_one_and(e);
}

/* Of one element. A NaN stays one in all of them. */
float value_of(float x, float t, out float slope)
{
    precise float d = x - t, margin = 1.0 - t * x;
    if (KIND == 0) {
        slope = float(d > 0.0) - float(d < 0.0);
        return abs(d);
    }
    if (KIND == 1) {
        slope = 2.0 * d;
        return d * d;
    }
    if (KIND == 2)
        return bce(x, t, slope);
    if (KIND == 3) {
        slope = margin > 0.0 ? -t : 0.0;
        return positive(margin);
    }
    slope = t;
    return t * x;
}

float term(uint i)
{
    uint pixel = i / p.c, channel = i % p.c;
    float t = p.label, slope;
    if (p.has_target != 0)
        t = targets[index_of(p.target, pixel, channel)];
    float value = value_of(x[index_of(p.x, pixel, channel)], t, slope);
    if (p.has_dx != 0) {
        uint at = index_of(p.dx, pixel, channel);
        dx[at] = (p.adds != 0 ? dx[at] : 0.0) + slope * p.scale;
    }
    return value;
}

void main()
{
    make_part(p.count, p.each);
}
