/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A convolution as a product of matrices that are never made: rows are pixels, columns are output
 * channels, the sum runs over taps and input channels. It gathers in one of two ways:
 *
 * STRIDED: pixel y reads y*stride - pad + tap: CONV forward, and the way back of DECONV.
 * SPREAD: pixel y reads (y + pad - tap) / stride where that is whole: DECONV forward, and the way
 * back of CONV. Pixels of one remainder y % stride, a phase, have the same taps; each phase is a
 * product of its own.
 *
 * Several groups may share a sum, the splits: their parts are added by conv_finish.comp in a fixed
 * order. gl_WorkGroupID.x counts the tiles of columns; y and z together those of rows, within them
 * the splits, within them the phases.
 */
layout(push_constant) uniform Push
{
    uint in_h, in_w, in_pixel, in_first, in_c;
    uint out_h, out_w, out_pixel, out_first, out_c;
    uint n;
    uint kh, kw, sh, sw;
    int pad_top, pad_left;
    uint weight_in, weight_out; /* from channel to channel of the weights */
    uint tiles, splits; /* tiles: of a phase's pixels */
    uint bias, gamma, beta, mean, variance; /* places in the vectors, or NOTHING */
    float eps, slope;
    uint activation;
    uint adds; /* to what is there already */
    uint bare; /* the sums are wanted as they are, float32 maps one after the other */
    uint gathers; /* SPREAD and RECTIFIES: no constants, so that few pipelines do for a network */
}
p;

layout(constant_id = 11) const uint PAD_MODE = 0; /* of PixPadMode; STRIDED only */

const uint SPREAD = 1;    /* else STRIDED */
const uint RECTIFIES = 2; /* max(x, 0) is read for x */

bool spreads()
{
    return (p.gathers & SPREAD) != 0;
}

uint phases()
{
    return spreads() ? p.sh * p.sw : 1;
}

vec4 rectified(vec4 x)
{
    return (p.gathers & RECTIFIES) != 0 ? positive(x) : x;
}

/* Where row or column @i of a padded map comes from; -1: it is zero. */
int padded(int i, int side)
{
    if (i >= 0 && i < side)
        return i;
    if (PAD_MODE == 0)
        return -1;
    if (PAD_MODE == 2)
        return clamp(i, 0, side - 1);
    i = abs(i);
    return i < side ? i : 2 * (side - 1) - i;
}

/* What a phase's side has: how many pixels and taps, and where they begin. */
struct Side {
    uint pixels, taps, first_tap;
    int base; /* what the first pixel reads with the first tap */
};

Side side_of(uint phase, uint kernel, uint stride, int pad, uint outs)
{
    Side side;
    if (spreads()) {
        side.pixels = phase < outs ? (outs - phase + stride - 1) / stride : 0;
        side.first_tap = (phase + uint(pad)) % stride;
        side.taps = side.first_tap < kernel ? (kernel - side.first_tap + stride - 1) / stride : 0;
        side.base = int((phase + uint(pad)) / stride);
    } else {
        side.pixels = outs;
        side.taps = kernel;
        side.first_tap = 0;
        side.base = -pad;
    }
    return side;
}

/* Pixel @q and tap @t of a side, both counted within the phase. */
int source_of(Side side, uint q, uint t, uint stride)
{
    return spreads() ? int(q) + side.base - int(t) : int(q * stride) + side.base + int(t);
}

uint tap_of(Side side, uint t, uint stride)
{
    return spreads() ? side.first_tap + t * stride : t;
}
