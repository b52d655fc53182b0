/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * The factors of the way back of a norm's tangent, by the formulae of cpu/cpu-tangent.c, where the
 * names are explained. Sums: set 0 of t and t * xhat; 1 of dout and dout * xhat; 2 of dout and
 * dout * t. Factors: set 0 of P(dout), which is dt; 1 and 2 of dout and x, and of t, in dx.
 * Bindings: norm_factors.glsl.
 * Twin: cpu/cpu-tangent.c.
 */
#include "tensor.glsl"
#include "norm.glsl"
#include "norm_rows.glsl"
#include "norm_factors.glsl"

/* sum(dout * T) over the pixels. @of_t, @of_dout: means; @both: that of dout * t. */
float mean_out(vec2 of_t, vec2 of_dout, float both)
{
    return p.recalled != 0 ? both : both - of_dout.x * of_t.x - of_dout.y * of_t.y;
}

void put_dx(uint group, uint c, vec2 of_t, vec2 of_dout, float out_mean, vec2 found)
{
    float gamma = gamma_of(c), rr = found.y * found.y;
    vec2 of_q = gamma * of_dout;
    float by_u = rr * (2.0 * of_t.y * of_q.y - gamma * out_mean);
    float more = rr * (of_q.x * of_t.y + of_t.x * of_q.y);
    put_factors(1, group, c, vec4(-rr * of_t.y * gamma, by_u * found.y, more, found.x));
    put_factors(2, group, c, vec4(-rr * of_q.y, 0.0, 0.0, found.x));
}

void main()
{
    uint c = channel();
    bool writes = c < p.c && row() == 0;
    float dgamma = 0.0, count = float(p.pixels);
    for (uint group = 0; group < p.groups; group++) {
        vec2 of_t = total(0, group, c) / count, of_dout = total(1, group, c) / count;
        float out_mean = mean_out(of_t, of_dout, total(2, group, c).y / count);
        if (writes) {
            vec2 found = recall(group, c);
            put_projection(0, group, c, of_dout, found);
            put_dx(group, c, of_t, of_dout, out_mean, found);
            dgamma += found.y * out_mean * count;
        }
    }
    if (writes)
        put_gradient(p.dgamma, c, dgamma);
}
