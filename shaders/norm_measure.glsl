/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Statistics of a run of pixels of the input map, or of the parts of it. */
layout(binding = 0) readonly buffer In { Stored x[]; };
layout(binding = 0) readonly buffer Sums { float sums[]; };

/* Of parts their sum, in their order. */
float x_at(uint pixel, uint c)
{
    uint at = index_of(p.x, pixel, c), map = p.groups * p.pixels * p.x.pixel;
    if (p.splits == 0)
        return float(x[at]);
    float value = sums[at];
    for (uint split = 1; split < p.splits; split++)
        value += sums[split * map + at];
    return value;
}

/*
 * Of pixels @first to @last - 1 of a channel: the mean, and the sum of squared distances to it. The
 * first pass finds a mean that is nearly right; the second is about that, and corrects it.
 */
vec2 measure(uint first, uint last, uint c)
{
    float sum = 0.0, count = float(last - first);
    vec2 around = vec2(0.0);
    uint start = c < p.c ? first + row() : last;
    for (uint i = start; i < last; i += rows())
        sum += x_at(i, c);
    float mean = add_rows(vec2(sum, 0.0)).x / count;
    for (uint i = start; i < last; i += rows()) {
        float distance_to = x_at(i, c) - mean;
        around += vec2(distance_to, distance_to * distance_to);
    }
    around = add_rows(around);
    float correction = around.x / count;
    return vec2(mean + correction, around.y - around.x * correction);
}
