/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sums of terms: each group makes a part, and sum_figure.comp adds those up. */
#include "sum.glsl"

layout(binding = 3) writeonly buffer Parts { vec2 parts[]; };

float term(uint i); /* what is to be summed: of the including shader */

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
