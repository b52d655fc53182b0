/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ref-conv-backward.h"

/* What y = f(sum of x * weight, and bias) says of one product in that sum. */
typedef struct {
    const RefCall *call;
    const RefConvGradients *d;
    PixShape in, out;
} Walk;

static size_t at(PixShape s, int n, int c, int y, int x)
{
    return (((size_t)n * (size_t)s.c + (size_t)c) * (size_t)s.h + (size_t)y) * (size_t)s.w +
           (size_t)x;
}

static double slope(PixActivation f, double y)
{
    switch (f.kind) {
    case PIX_ACTIVATION_RELU:
        return y > 0 ? 1 : 0;
    case PIX_ACTIVATION_LEAKY_RELU:
        return y > 0 ? 1 : (double)f.slope;
    case PIX_ACTIVATION_TANH:
        return 1 - y * y;
    default:
        return 1;
    }
}

/* The row or column that a padded one shows; -1 for zero padding. */
static int shown(int i, int side, PixPadMode mode)
{
    if (i >= 0 && i < side)
        return i;
    switch (mode) {
    case PIX_PAD_REFLECT:
        return i < 0 ? -i : 2 * side - 2 - i;
    case PIX_PAD_REPLICATE:
        return i < 0 ? 0 : side - 1;
    default:
        return -1;
    }
}

static void product(const Walk *w, size_t x, size_t weight, double dz)
{
    w->d->x[x] += dz * w->call->param[PIX_SLOT_WEIGHT][weight];
    w->d->weight[weight] += dz * w->call->x[0][x];
}

static void conv(const Walk *w, int n, int oc, int oy, int ox, double dz)
{
    const PixConvOp *o = &w->call->op->conv;
    for (int c = 0; c < w->in.c; c++)
        for (int ky = 0; ky < o->kh; ky++)
            for (int kx = 0; kx < o->kw; kx++) {
                int iy = shown(oy * o->sh - o->pad.top + ky, w->in.h, o->pad.mode);
                int ix = shown(ox * o->sw - o->pad.left + kx, w->in.w, o->pad.mode);
                PixShape weight = {o->oc, w->in.c, o->kh, o->kw};
                if (iy >= 0 && ix >= 0)
                    product(w, at(w->in, n, c, iy, ix), at(weight, oc, c, ky, kx), dz);
            }
}

static void deconv(const Walk *w, int n, int oc, int oy, int ox, double dz)
{
    const PixConvOp *o = &w->call->op->conv;
    for (int c = 0; c < w->in.c; c++)
        for (int iy = 0; iy < w->in.h; iy++)
            for (int ix = 0; ix < w->in.w; ix++) {
                int ky = oy + o->pad.top - iy * o->sh, kx = ox + o->pad.left - ix * o->sw;
                PixShape weight = {w->in.c, o->oc, o->kh, o->kw};
                if (ky >= 0 && ky < o->kh && kx >= 0 && kx < o->kw)
                    product(w, at(w->in, n, c, iy, ix), at(weight, c, oc, ky, kx), dz);
            }
}

static void clear(double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = 0;
}

void ref_conv_backward(const RefCall *call, const double *y, const double *dy,
                       const RefConvGradients *gradients)
{
    const PixConvOp *o = &call->op->conv;
    Walk w = {.call = call, .d = gradients, .in = call->shape[0]};
    g_assert(pix_op_infer(call->op, call->shape, &w.out, NULL));
    clear(gradients->x, pix_shape_count(w.in));
    clear(gradients->weight, (size_t)(w.in.c * o->oc * o->kh * o->kw));
    clear(gradients->bias, (size_t)o->oc);
    for (int n = 0; n < w.out.n; n++)
        for (int oc = 0; oc < w.out.c; oc++)
            for (int oy = 0; oy < w.out.h; oy++)
                for (int ox = 0; ox < w.out.w; ox++) {
                    size_t i = at(w.out, n, oc, oy, ox);
                    double dz = dy[i] * slope(o->activation, y[i]);
                    gradients->bias[oc] += dz;
                    if (call->op->kind == PIX_OP_CONV)
                        conv(&w, n, oc, oy, ox, dz);
                    else
                        deconv(&w, n, oc, oy, ox, dz);
                }
}
