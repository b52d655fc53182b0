/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sums of many floats in a fixed order. A sum is two floats: the second is what the first has lost to
 * rounding, so that its length does not tell. Sums that overflow become NaN.
 */
shared vec2 sums[gl_WorkGroupSize.x]; /* a power of two */

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
