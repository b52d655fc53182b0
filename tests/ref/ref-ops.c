/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ref-ops.h"

#include <math.h>

#include "rng.h"

static size_t at(PixShape s, int n, int c, int y, int x)
{
    return (((size_t)n * (size_t)s.c + (size_t)c) * (size_t)s.h + (size_t)y) * (size_t)s.w +
           (size_t)x;
}

static PixShape output_shape(const RefCall *call)
{
    PixShape out;
    g_assert(pix_op_infer(call->op, call->shape, &out, NULL));
    return out;
}

static double activate(PixActivation f, double v)
{
    switch (f.kind) {
    case PIX_ACTIVATION_RELU:
        return v < 0 ? 0 : v; /* NaN stays */
    case PIX_ACTIVATION_LEAKY_RELU:
        return v > 0 ? v : v * (double)f.slope;
    case PIX_ACTIVATION_TANH:
        return tanh(v);
    default:
        return v;
    }
}

double ref_slope(PixActivation f, double y)
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

/* An input value, or what the padding puts there. */
static double padded(const RefCall *call, PixPadMode mode, int n, int c, int y, int x)
{
    PixShape s = call->shape[0];
    if (mode == PIX_PAD_REFLECT) {
        y = y < 0 ? -y : y >= s.h ? 2 * s.h - 2 - y : y;
        x = x < 0 ? -x : x >= s.w ? 2 * s.w - 2 - x : x;
    } else if (mode == PIX_PAD_REPLICATE) {
        y = y < 0 ? 0 : y >= s.h ? s.h - 1 : y;
        x = x < 0 ? 0 : x >= s.w ? s.w - 1 : x;
    } else if (y < 0 || y >= s.h || x < 0 || x >= s.w) {
        return 0;
    }
    return call->x[0][at(s, n, c, y, x)];
}

/* What a convolution takes for @x. */
static double taken(const RefCall *call, double x)
{
    return call->op->conv.rectifies && x < 0 ? 0 : x;
}

static double convolve(const RefCall *call, int n, int oc, int oy, int ox)
{
    const PixConvOp *o = &call->op->conv;
    int channels = call->shape[0].c;
    double sum = 0;
    for (int c = 0; c < channels; c++)
        for (int ky = 0; ky < o->kh; ky++)
            for (int kx = 0; kx < o->kw; kx++)
                sum +=
                    taken(call, padded(call, o->pad.mode, n, c, oy * o->sh - o->pad.top + ky,
                                       ox * o->sw - o->pad.left + kx)) *
                    call->param[PIX_SLOT_WEIGHT][((oc * channels + c) * o->kh + ky) * o->kw + kx];
    return sum;
}

static double deconvolve(const RefCall *call, int n, int oc, int oy, int ox)
{
    const PixConvOp *o = &call->op->conv;
    PixShape s = call->shape[0];
    double sum = 0;
    for (int c = 0; c < s.c; c++)
        for (int iy = 0; iy < s.h; iy++)
            for (int ix = 0; ix < s.w; ix++) {
                int ky = oy + o->pad.top - iy * o->sh, kx = ox + o->pad.left - ix * o->sw;
                if (ky < 0 || ky >= o->kh || kx < 0 || kx >= o->kw)
                    continue;
                sum += taken(call, call->x[0][at(s, n, c, iy, ix)]) *
                       call->param[PIX_SLOT_WEIGHT][((c * o->oc + oc) * o->kh + ky) * o->kw + kx];
            }
    return sum;
}

static void sum(const RefCall *call, double *y)
{
    PixShape s = output_shape(call);
    for (int n = 0; n < s.n; n++)
        for (int c = 0; c < s.c; c++)
            for (int oy = 0; oy < s.h; oy++)
                for (int ox = 0; ox < s.w; ox++) {
                    double v = call->op->kind == PIX_OP_CONV ? convolve(call, n, c, oy, ox)
                                                             : deconvolve(call, n, c, oy, ox);
                    if (call->param[PIX_SLOT_BIAS])
                        v += call->param[PIX_SLOT_BIAS][c];
                    y[at(s, n, c, oy, ox)] = v;
                }
}

static double mean_over(const RefCall *call, const RefGroup *group, const double *x)
{
    double mean = 0;
    for (int i = 0; i < group->count; i++)
        mean += x[ref_norm_at(call, group, i)] / group->count;
    return mean;
}

int ref_norm_groups(const RefCall *call)
{
    return call->op->norm.kind == PIX_NORM_BATCH ? 1 : call->shape[0].n;
}

RefGroup ref_norm_group(const RefCall *call, int index)
{
    const PixNormOp *o = &call->op->norm;
    const double *x = call->x[call->op->kind == PIX_OP_NORM ? 0 : 1];
    PixShape s = call->shape[0];
    bool batch = o->kind == PIX_NORM_BATCH;
    RefGroup group = {.n = index / s.c, .c = index % s.c, .count = (batch ? s.n : 1) * s.h * s.w};
    if (o->running) {
        group.mean = call->param[PIX_SLOT_MEAN][group.c];
        group.variance = call->param[PIX_SLOT_VARIANCE][group.c];
    } else {
        group.mean = mean_over(call, &group, x);
        for (int i = 0; i < group.count; i++)
            group.variance += pow(x[ref_norm_at(call, &group, i)] - group.mean, 2) / group.count;
    }
    group.rstd = 1 / sqrt(group.variance + (double)o->eps);
    group.gamma = call->param[PIX_SLOT_GAMMA] ? call->param[PIX_SLOT_GAMMA][group.c] : 1;
    group.beta = call->param[PIX_SLOT_BETA] ? call->param[PIX_SLOT_BETA][group.c] : 0;
    return group;
}

size_t ref_norm_at(const RefCall *call, const RefGroup *group, int i)
{
    int plane = call->shape[0].h * call->shape[0].w;
    return at(call->shape[0], group->n + i / plane, group->c, 0, 0) + (size_t)(i % plane);
}

static void norm(const RefCall *call, double *y)
{
    for (int k = 0; k < ref_norm_groups(call) * call->shape[0].c; k++) {
        RefGroup g = ref_norm_group(call, k);
        for (int i = 0; i < g.count; i++) {
            size_t j = ref_norm_at(call, &g, i);
            double xhat = (call->x[0][j] - g.mean) * g.rstd;
            y[j] = activate(call->op->norm.activation, xhat * g.gamma + g.beta);
        }
    }
}

/* The derivative of norm() along x[0], at x[1]. */
static void norm_tangent(const RefCall *call, double *y)
{
    const double *t = call->x[0], *x = call->x[1];
    for (int k = 0; k < ref_norm_groups(call) * call->shape[0].c; k++) {
        RefGroup g = ref_norm_group(call, k);
        double mean = 0, hat = 0;
        for (int i = 0; i < g.count && !call->op->norm.running; i++) {
            size_t j = ref_norm_at(call, &g, i);
            mean += t[j] / g.count;
            hat += t[j] * (x[j] - g.mean) * g.rstd / g.count;
        }
        for (int i = 0; i < g.count; i++) {
            size_t j = ref_norm_at(call, &g, i);
            y[j] = g.gamma * g.rstd * (t[j] - mean - (x[j] - g.mean) * g.rstd * hat);
        }
    }
}

static void dropout(const RefCall *call, double *y)
{
    const PixDropoutOp *o = &call->op->dropout;
    PixMaskKey key = {call->frame.seed, call->frame.number, o->layer};
    for (size_t i = 0; i < pix_shape_count(call->shape[0]); i++) {
        bool dropped = !o->off && pix_rng_word(&key, i) < pix_rng_threshold(o->rate);
        y[i] = dropped ? 0 : call->x[0][i] / (o->off ? 1 : 1 - (double)o->rate);
    }
}

/* y = op(y), with the parameters of @call. */
static void apply(const RefCall *call, const PixOp *op, double *y)
{
    RefCall next = *call;
    next.op = op;
    next.shape[0] = output_shape(call);
    size_t count = pix_shape_count(next.shape[0]);
    g_autofree double *x = g_memdup2(y, count * sizeof *y);
    next.x[0] = x;
    ref_forward(&next, y);
}

/* The sum, then each op that it has taken over. */
static void conv(const RefCall *call, double *y)
{
    const PixConvOp *o = &call->op->conv;
    const PixOp norm_op = {.kind = PIX_OP_NORM, .norm = o->norm};
    const PixOp activation = {.kind = PIX_OP_ACTIVATION, .activation = o->activation};
    const PixOp dropout_op = {.kind = PIX_OP_DROPOUT, .dropout = o->dropout};
    sum(call, y);
    if (o->norm.kind != PIX_NORM_NONE)
        apply(call, &norm_op, y);
    apply(call, &activation, y);
    apply(call, &dropout_op, y);
}

static void pad(const RefCall *call, double *y)
{
    const PixPadding *p = &call->op->pad;
    PixShape s = output_shape(call);
    for (int n = 0; n < s.n; n++)
        for (int c = 0; c < s.c; c++)
            for (int oy = 0; oy < s.h; oy++)
                for (int ox = 0; ox < s.w; ox++)
                    y[at(s, n, c, oy, ox)] = padded(call, p->mode, n, c, oy - p->top, ox - p->left);
}

static void concat(const RefCall *call, double *y)
{
    PixShape s = output_shape(call), s0 = call->shape[0], s1 = call->shape[1];
    for (int n = 0; n < s.n; n++)
        for (int c = 0; c < s.c; c++)
            for (int i = 0; i < s.h * s.w; i++)
                y[at(s, n, c, 0, 0) + (size_t)i] =
                    c < s0.c ? call->x[0][at(s0, n, c, 0, 0) + (size_t)i]
                             : call->x[1][at(s1, n, c - s0.c, 0, 0) + (size_t)i];
}

static void upsample(const RefCall *call, double *y)
{
    PixShape s = output_shape(call);
    int factor = call->op->factor;
    for (int n = 0; n < s.n; n++)
        for (int c = 0; c < s.c; c++)
            for (int oy = 0; oy < s.h; oy++)
                for (int ox = 0; ox < s.w; ox++)
                    y[at(s, n, c, oy, ox)] =
                        call->x[0][at(call->shape[0], n, c, oy / factor, ox / factor)];
}

void ref_forward(const RefCall *call, double *y)
{
    size_t count = pix_shape_count(call->shape[0]);
    switch (call->op->kind) {
    case PIX_OP_CONV:
    case PIX_OP_DECONV:
        conv(call, y);
        break;
    case PIX_OP_NORM:
        norm(call, y);
        break;
    case PIX_OP_ACTIVATION:
        for (size_t i = 0; i < count; i++)
            y[i] = activate(call->op->activation, call->x[0][i]);
        break;
    case PIX_OP_DROPOUT:
        dropout(call, y);
        break;
    case PIX_OP_PAD:
        pad(call, y);
        break;
    case PIX_OP_CONCAT:
        concat(call, y);
        break;
    case PIX_OP_ADD:
        for (size_t i = 0; i < count; i++)
            y[i] = call->x[0][i] + call->x[1][i];
        break;
    case PIX_OP_UPSAMPLE:
        upsample(call, y);
        break;
    case PIX_OP_ACTIVATION_TANGENT:
        for (size_t i = 0; i < count; i++)
            y[i] = call->x[0][i] * ref_slope(call->op->activation, call->x[1][i]);
        break;
    case PIX_OP_NORM_TANGENT:
        norm_tangent(call, y);
        break;
    default:
        g_assert_not_reached();
    }
}
