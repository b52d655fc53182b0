/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What norms and their tangents share; the words are those of cpu/cpu-norm.h. A group of statistics
 * has p.pixels pixels, which may be cut into pieces.
 */
layout(push_constant) uniform Push
{
    uint groups, pixels, c; /* of statistics; pixels of each */
    uint pieces, piece;     /* of a group; pixels of each but the last */
    Place x, v, to;
    uint mean, rstd;        /* places in the statistics; NOTHING: they are not kept */
    uint recalled;          /* rstd is a running variance yet */
    uint gamma, beta, running_mean, running_variance; /* places in the vectors, or NOTHING */
    uint dgamma, dbeta;
    float eps, share; /* by which running statistics move */
    uint activation;
    float slope;
    uint set;     /* of sums or factors: several at a time lie in the scratch memory */
    uint factors; /* where those begin in there, in floats */
    uint adds;
    uint splits; /* of the float32 sums that x is yet, one map after the other; 0: it is a map */
    /* A dropout at the end: pixels of a sample, its key, and where threshold is 0 there is none. */
    uint plane, layer, threshold;
    float scale;
}
p;

/* Of all groups and channels. */
uint place_of(uint group, uint c)
{
    return group * p.c + c;
}

/* Of sums of pairs: (sets, groups, pieces, c, 2). */
uint part_of(uint set, uint group, uint piece, uint c)
{
    return (((set * p.groups + group) * p.pieces + piece) * p.c + c) * 2;
}

/* Mean and rstd. @squares: the sum of squared distances to the mean. */
vec2 finished(float mean, float squares)
{
    float variance = positive(squares) / float(p.pixels);
    return vec2(mean, 1.0 / sqrt(variance + p.eps));
}

float pixels_of(uint piece)
{
    return float(min(p.piece, p.pixels - piece * p.piece));
}
