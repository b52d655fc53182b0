/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sums of many floats in a fixed order: each group makes a part, which the host adds up. A sum is
 * two floats: the second is what the first has lost to rounding, so that its length does not tell.
 * Sums that overflow become NaN.
 */
layout(binding = 3) writeonly buffer Parts { vec2 parts[]; };

shared vec2 sums[gl_WorkGroupSize.x]; /* a power of two */

float term(uint i); /* what is to be summed: of the including shader */

vec2 add(vec2 a, vec2 b)
{
    precise float sum = a.x + b.x, of_b = sum - a.x;
    precise float lost = (a.x - (sum - of_b)) + (b.x - of_b);
    precise float rest = lost + (a.y + b.y);
    return vec2(sum, rest);
}

/* Makes sums[0] the sum of what all invocations bring: for the first one's eyes. */
void sum_up(vec2 mine)
{
    uint me = gl_LocalInvocationID.x;
    sums[me] = mine;
    for (uint reach = gl_WorkGroupSize.x / 2; reach > 0; reach /= 2) {
        barrier();
        if (me < reach)
            sums[me] = add(sums[me], sums[me + reach]);
    }
}

/* Of the terms 0 .. @count - 1, @each for an invocation; groups may be spread over x and y. */
void make_part(uint count, uint each)
{
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    uint first = group * gl_WorkGroupSize.x * each;
    vec2 sum = vec2(0.0);
    if (first >= count)
        return;
    for (uint k = 0; k < each; k++) {
        uint i = first + k * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
        if (i < count)
            sum = add(sum, vec2(term(i), 0.0));
    }
    sum_up(sum);
    if (gl_LocalInvocationID.x == 0)
        parts[group] = sums[0];
}
