/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sums of rows and columns of dy. */
layout(binding = 0) readonly buffer Dy { float dy[]; };
layout(binding = 2) buffer Dx { float dx[]; };

/* Rows or columns, none where first > last. */
struct Span {
    int first, last;
};

float sum_of(uint n, Span rows, Span columns, uint c)
{
    float sum = 0.0;
    for (int y = rows.first; y <= rows.last; y++)
        for (int x = columns.first; x <= columns.last; x++)
            sum += dy[index_of(p.y, (n * p.oh + uint(y)) * p.ow + uint(x), c)];
    return sum;
}

void store(Target target, float sum)
{
    uint at = index_of(p.x, target.at, target.c);
    dx[at] = p.adds != 0 ? dx[at] + sum : sum;
}
