/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Mean and rstd of a channel, from stats[], which the shader has declared. */
vec2 recall(uint group, uint c)
{
    float mean = stats[p.mean + place_of(group, c)], rstd = stats[p.rstd + place_of(group, c)];
    return vec2(mean, p.recalled != 0 ? 1.0 / sqrt(rstd + p.eps) : rstd);
}
