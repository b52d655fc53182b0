/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The norm of one value with the statistics @found, mean and rstd; vectors[] is the shader's. */
float normalise(float value, vec2 found, uint c)
{
    value = (value - found.x) * found.y;
    if (p.gamma != NOTHING)
        value *= vectors[p.gamma + c];
    if (p.beta != NOTHING)
        value += vectors[p.beta + c];
    return activate(p.activation, p.slope, value);
}
