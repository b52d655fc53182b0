/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Workgroups that sum are channels by rows: an invocation takes every so many pixels of its channel,
 * then the rows are added.
 */
shared vec2 cells[gl_WorkGroupSize.x * gl_WorkGroupSize.y];

uint channel()
{
    return gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
}

uint row()
{
    return gl_LocalInvocationID.y;
}

uint rows()
{
    return gl_WorkGroupSize.y;
}

/* The sum over all rows of a channel, in a fixed order; rows are a power of two. */
vec2 add_rows(vec2 value)
{
    uint at = gl_LocalInvocationIndex;
    cells[at] = value;
    barrier();
    for (uint half_of = rows() / 2; half_of > 0; half_of /= 2) {
        if (row() < half_of)
            cells[at] += cells[at + half_of * gl_WorkGroupSize.x];
        barrier();
    }
    vec2 total = cells[gl_LocalInvocationID.x];
    barrier();
    return total;
}
