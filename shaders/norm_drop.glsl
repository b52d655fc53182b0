/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The dropout behind a norm: dropout.comp again, one element at a time. */
#include "rng.glsl"

layout(binding = 4) uniform Frame { uvec2 seed, number; };

/* @pixel: counted over all samples. */
float drop(float value, uint pixel, uint c)
{
    if (p.threshold == 0)
        return value;
    uint element = (pixel / p.plane * p.c + c) * p.plane + pixel % p.plane;
    uint word = draw_block(seed, number, p.layer, element / 4)[element % 4];
    return word < p.threshold ? 0.0 : value * p.scale;
}
