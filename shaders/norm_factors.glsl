/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From the sums of norm_sum.comp to the factors of norm_blend.comp, and to gradients of parameters.
 * Bindings: 0 the scratch memory: parts (sets, groups, pieces, c, 2), then factors (sets, groups, c,
 * 4); 1 gradients of vectors; 2 the statistics, (groups, c) twice, or vectors; 3 vectors.
 */
layout(binding = 0) buffer Scratch { float scratch[]; };
layout(binding = 1) buffer Gradients { float gradients[]; };
layout(binding = 2) readonly buffer Stats { float stats[]; };
layout(binding = 3) readonly buffer Vectors { float vectors[]; };

#include "norm_recall.glsl"

/* The sums of all pieces of a group. */
vec2 total(uint set, uint group, uint c)
{
    vec2 sums = vec2(0.0);
    for (uint piece = c < p.c ? row() : p.pieces; piece < p.pieces; piece += rows()) {
        uint at = part_of(set, group, piece, c);
        sums += vec2(scratch[at], scratch[at + 1]);
    }
    return add_rows(sums);
}

float gamma_of(uint c)
{
    return p.gamma != NOTHING ? vectors[p.gamma + c] : 1.0;
}

/* Of v, of x - mean, of one, and the mean. */
void put_factors(uint set, uint group, uint c, vec4 factors)
{
    uint at = p.factors + ((set * p.groups + group) * p.c + c) * 4;
    for (uint i = 0; i < 4; i++)
        scratch[at + i] = factors[i];
}

/* Those of P(v): @means: those of v and of v * xhat; @found: mean and rstd. */
void put_projection(uint set, uint group, uint c, vec2 means, vec2 found)
{
    float scale = gamma_of(c) * found.y;
    if (p.recalled != 0)
        means = vec2(0.0);
    put_factors(set, group, c,
                vec4(scale, -scale * means.y * found.y, -scale * means.x, found.x));
}

void put_gradient(uint vector, uint c, float value)
{
    if (vector == NOTHING)
        return;
    gradients[vector + c] = p.adds != 0 ? gradients[vector + c] + value : value;
}
