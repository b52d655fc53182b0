/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ref-backward.h"

#include <string.h>

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

static void clear(double *values, PixShape shape)
{
    memset(values, 0, pix_shape_count(shape) * sizeof *values);
}

/* ---- norm ---- */

/* dy = dout * f'(y), the gradient before the activation. */
static double *before_activation(const RefCall *call, const RefGradients *g)
{
    size_t count = pix_shape_count(call->shape[0]);
    double *dy = g_new(double, count);
    ref_forward(call, dy);
    for (size_t i = 0; i < count; i++)
        dy[i] = g->dout[i] * ref_slope(call->op->norm.activation, dy[i]);
    return dy;
}

static void norm_group(const RefCall *call, const RefGradients *g, const RefGroup *group,
                       const double *dy)
{
    double sum = 0, hat = 0;
    for (int i = 0; i < group->count; i++) {
        size_t j = ref_norm_at(call, group, i);
        sum += dy[j];
        hat += dy[j] * (call->x[0][j] - group->mean) * group->rstd;
    }
    if (g->dparam[PIX_SLOT_GAMMA])
        g->dparam[PIX_SLOT_GAMMA][group->c] += hat;
    if (g->dparam[PIX_SLOT_BETA])
        g->dparam[PIX_SLOT_BETA][group->c] += sum;
    for (int i = 0; i < group->count && g->dx[0]; i++) {
        size_t j = ref_norm_at(call, group, i);
        double xhat = (call->x[0][j] - group->mean) * group->rstd;
        double through = call->op->norm.running ? 0 : (sum + xhat * hat) / group->count;
        g->dx[0][j] = group->gamma * group->rstd * (dy[j] - through);
    }
}

static void norm(const RefCall *call, const RefGradients *g)
{
    g_autofree double *dy = before_activation(call, g);
    for (int k = 0; k < ref_norm_groups(call) * call->shape[0].c; k++) {
        RefGroup group = ref_norm_group(call, k);
        norm_group(call, g, &group, dy);
    }
}

/* Means over a group that the tangent's gradient is made of; u is xhat, q is gamma * dout. */
typedef struct {
    double t, ut, q, uq;
} Means;

static double xhat_of(const RefCall *call, const RefGroup *group, size_t j)
{
    return (call->x[1][j] - group->mean) * group->rstd;
}

static Means means_of(const RefCall *call, const RefGradients *g, const RefGroup *group)
{
    Means m = {0};
    for (int i = 0; i < group->count && !call->op->norm.running; i++) {
        size_t j = ref_norm_at(call, group, i);
        double u = xhat_of(call, group, j), q = group->gamma * g->dout[j];
        m.t += call->x[0][j] / group->count;
        m.ut += u * call->x[0][j] / group->count;
        m.q += q / group->count;
        m.uq += u * q / group->count;
    }
    return m;
}

/* The chain rule through u = (x - mean) * r first, then through r = 1 / sqrt(variance + eps). */
static void tangent_dx(const RefCall *call, const RefGradients *g, const RefGroup *group, Means m,
                       double qT)
{
    double r = group->rstd, mean_du = 0, mean_udu = 0;
    g_autofree double *du = g_new(double, (size_t)group->count);
    for (int i = 0; i < group->count; i++) {
        size_t j = ref_norm_at(call, group, i);
        du[i] = -r * (group->gamma * g->dout[j] * m.ut + m.uq * call->x[0][j]);
        mean_du += du[i] / group->count;
        mean_udu += xhat_of(call, group, j) * du[i] / group->count;
    }
    for (int i = 0; i < group->count; i++) {
        size_t j = ref_norm_at(call, group, i);
        double u = xhat_of(call, group, j);
        g->dx[1][j] = call->op->norm.running
                          ? 0
                          : r * (du[i] - mean_du - u * mean_udu) - r * r * u / group->count * qT;
    }
}

static void norm_tangent(const RefCall *call, const RefGradients *g)
{
    for (int k = 0; k < ref_norm_groups(call) * call->shape[0].c; k++) {
        RefGroup group = ref_norm_group(call, k);
        Means m = means_of(call, g, &group);
        double gT = 0;
        for (int i = 0; i < group.count; i++) {
            size_t j = ref_norm_at(call, &group, i);
            double u = xhat_of(call, &group, j), q = group.gamma * g->dout[j];
            gT += g->dout[j] * (call->x[0][j] - m.t - u * m.ut);
            if (g->dx[0])
                g->dx[0][j] = group.rstd * (q - m.q - u * m.uq);
        }
        if (g->dparam[PIX_SLOT_GAMMA])
            g->dparam[PIX_SLOT_GAMMA][group.c] += group.rstd * gT;
        if (g->dx[1])
            tangent_dx(call, g, &group, m, group.gamma * gT);
    }
}

/* ---- single elements ---- */

static void activation(const RefCall *call, const double *dout, double *dx)
{
    size_t count = pix_shape_count(call->shape[0]);
    g_autofree double *y = g_new(double, count);
    ref_forward(call, y);
    for (size_t i = 0; i < count; i++)
        dx[i] = dout[i] * ref_slope(call->op->activation, y[i]);
}

static void dropout(const RefCall *call, const double *dout, double *dx)
{
    const PixDropoutOp *o = &call->op->dropout;
    PixMaskKey key = {call->frame.seed, call->frame.number, o->layer};
    for (size_t i = 0; i < pix_shape_count(call->shape[0]); i++) {
        bool dropped = !o->off && pix_rng_word(&key, i) < pix_rng_threshold(o->rate);
        dx[i] = dropped ? 0 : dout[i] / (o->off ? 1 : 1 - (double)o->rate);
    }
}

/* Second derivatives of what is made of straight lines are 0. */
static void activation_tangent(const RefCall *call, const RefGradients *g)
{
    g_assert(call->op->activation.kind != PIX_ACTIVATION_TANH);
    for (size_t i = 0; i < pix_shape_count(call->shape[0]) && g->dx[0]; i++)
        g->dx[0][i] = g->dout[i] * ref_slope(call->op->activation, call->x[1][i]);
    if (g->dx[1])
        clear(g->dx[1], call->shape[1]);
}

/* ---- moved pixels ---- */

/* Where row or column @i of a padded map came from; -1: it is zero. */
static int source(int i, int side, PixPadMode mode)
{
    if (mode == PIX_PAD_REFLECT)
        return i < 0 ? -i : i >= side ? 2 * side - 2 - i : i;
    if (mode == PIX_PAD_REPLICATE)
        return CLAMP(i, 0, side - 1);
    return i < 0 || i >= side ? -1 : i;
}

static void pad(const RefCall *call, const double *dout, double *dx)
{
    const PixPadding *p = &call->op->pad;
    PixShape s = output_shape(call), in = call->shape[0];
    clear(dx, in);
    for (int n = 0; n < s.n; n++)
        for (int c = 0; c < s.c; c++)
            for (int oy = 0; oy < s.h; oy++)
                for (int ox = 0; ox < s.w; ox++) {
                    int y = source(oy - p->top, in.h, p->mode);
                    int x = source(ox - p->left, in.w, p->mode);
                    if (y >= 0 && x >= 0)
                        dx[at(in, n, c, y, x)] += dout[at(s, n, c, oy, ox)];
                }
}

static void concat(const RefCall *call, const RefGradients *g)
{
    PixShape s = output_shape(call);
    for (int j = 0; j < 2; j++) {
        PixShape part = call->shape[j];
        for (int n = 0; n < s.n && g->dx[j]; n++)
            for (int c = 0; c < part.c; c++)
                for (int i = 0; i < s.h * s.w; i++)
                    g->dx[j][at(part, n, c, 0, 0) + (size_t)i] =
                        g->dout[at(s, n, c + (j ? call->shape[0].c : 0), 0, 0) + (size_t)i];
    }
}

static void upsample(const RefCall *call, const double *dout, double *dx)
{
    PixShape s = output_shape(call), in = call->shape[0];
    int factor = call->op->factor;
    clear(dx, in);
    for (int n = 0; n < s.n; n++)
        for (int c = 0; c < s.c; c++)
            for (int oy = 0; oy < s.h; oy++)
                for (int ox = 0; ox < s.w; ox++)
                    dx[at(in, n, c, oy / factor, ox / factor)] += dout[at(s, n, c, oy, ox)];
}

static void several(const RefCall *call, const RefGradients *g)
{
    size_t bytes = pix_shape_count(call->shape[0]) * sizeof(double);
    switch (call->op->kind) {
    case PIX_OP_NORM:
        norm(call, g);
        break;
    case PIX_OP_NORM_TANGENT:
        norm_tangent(call, g);
        break;
    case PIX_OP_ACTIVATION_TANGENT:
        activation_tangent(call, g);
        break;
    case PIX_OP_CONCAT:
        concat(call, g);
        break;
    case PIX_OP_ADD:
        for (int j = 0; j < 2; j++)
            if (g->dx[j])
                memcpy(g->dx[j], g->dout, bytes);
        break;
    default:
        g_assert_not_reached();
    }
}

void ref_backward(const RefCall *call, const RefGradients *g)
{
    static void (*const single[PIX_OP_COUNT])(const RefCall *, const double *, double *) = {
        [PIX_OP_ACTIVATION] = activation,
        [PIX_OP_DROPOUT] = dropout,
        [PIX_OP_PAD] = pad,
        [PIX_OP_UPSAMPLE] = upsample,
    };
    for (int slot = PIX_SLOT_GAMMA; slot <= PIX_SLOT_BETA; slot++)
        if (g->dparam[slot])
            memset(g->dparam[slot], 0, (size_t)call->shape[0].c * sizeof(double));
    if (!single[call->op->kind])
        several(call, g);
    else if (g->dx[0])
        single[call->op->kind](call, g->dout, g->dx[0]);
}
