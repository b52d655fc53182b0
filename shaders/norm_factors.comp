/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * The factors of P(v) from the sums of v and v * xhat, which are the gradients of beta and gamma
 * where v is that of a norm.
 * Bindings: norm_factors.glsl.
 * Twins: cpu_norm_project() and cpu_norm_put_param() of cpu/cpu-norm-backward.c.
 */
#include "tensor.glsl"
#include "norm.glsl"
#include "norm_rows.glsl"
#include "norm_factors.glsl"

void main()
{
    uint c = channel();
    bool writes = c < p.c && row() == 0;
    vec2 all = vec2(0.0);
    for (uint group = 0; group < p.groups; group++) {
        vec2 sums = total(0, group, c);
        if (writes)
            put_projection(0, group, c, sums / float(p.pixels), recall(group, c));
        all += sums;
    }
    if (writes) {
        put_gradient(p.dgamma, c, all.y);
        put_gradient(p.dbeta, c, all.x);
    }
}
