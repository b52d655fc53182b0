/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Padding and upsampling: every pixel of y is a copy of one of x, or zero. Backward, dx gathers. */
layout(push_constant) uniform Push
{
    uint count, c; /* elements of what is written; channels */
    uint h, w, oh, ow;
    Place x, y; /* of the op, or their gradients */
    int top, left, bottom, right;
    uint mode; /* of PixPadMode */
    uint factor;
    uint adds;
}
p;

/* Where this invocation writes. */
struct Target {
    uint n, y, x, c;
    uint at; /* of the pixel among all */
};

Target target_of(uint i, uint h, uint w)
{
    uint at = i / p.c;
    return Target(at / w / h, at / w % h, at % w, i % p.c, at);
}
