/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The statistics of a group from those of its pieces: parts[] (groups, pieces, c, 2), which the
 * shader has declared.
 * Source: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm", 1979.
 */

/* Mean and sum of squared distances; distances of means are taken from that of the first piece. */
vec2 merge(uint group, uint c)
{
    uint start = c < p.c ? row() : p.pieces;
    float base = c < p.c ? parts[part_of(0, group, 0, c)] : 0.0, sum = 0.0;
    for (uint i = start; i < p.pieces; i += rows())
        sum += pixels_of(i) * (parts[part_of(0, group, i, c)] - base);
    float mean = base + add_rows(vec2(sum, 0.0)).x / float(p.pixels), squares = 0.0;
    for (uint i = start; i < p.pieces; i += rows()) {
        uint at = part_of(0, group, i, c);
        float off = parts[at] - mean;
        squares += parts[at + 1] + pixels_of(i) * off * off;
    }
    return vec2(mean, add_rows(vec2(squares, 0.0)).x);
}
