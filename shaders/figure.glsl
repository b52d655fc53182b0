/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A figure is a sum of two floats and what to divide it by; where that is 0, all of it is. */
float figure_value(vec4 figure)
{
    return figure.z == 0.0 ? 0.0 : (figure.x + figure.y) / figure.z;
}

bool is_finite(float x)
{
    return (floatBitsToUint(x) & 0x7f800000u) != 0x7f800000u;
}
