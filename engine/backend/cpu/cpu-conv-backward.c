/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * CONV and DECONV backwards: through the activation, then the gradients of bias, weights and input.
 * The input's is the adjoint's forward, see cpu-conv.h; with reflected or replicated borders that
 * gives the gradient of the padded map, whose border is then folded back.
 */
#include "cpu-winograd.h"

/* Floats of the output that one task sums. */
#define PIECE_FLOATS 16384

/* ---- activation and bias ---- */

typedef struct {
    PixActivation f;
    CpuView y, dy;
    int pixels, piece;
    double *sums; /* (pieces, c), or NULL */
} Output;

static Output output_of(const PixCall *call)
{
    Output o = {
        .f = call->op->conv.activation, .y = cpu_view(&call->out), .dy = cpu_view(&call->dout)};
    o.pixels = o.y.n * o.y.h * o.y.w;
    o.piece = MAX(PIECE_FLOATS / o.y.c, 1);
    return o;
}

static int pieces(const Output *o)
{
    return (o->pixels + o->piece - 1) / o->piece;
}

static void run_piece(void *data, int task, int worker)
{
    const Output *o = data;
    int c = o->dy.c, last = MIN((task + 1) * o->piece, o->pixels);
    double *sums = o->sums ? o->sums + (ptrdiff_t)task * c : NULL;
    if (sums)
        memset(sums, 0, (size_t)c * sizeof *sums);
    for (ptrdiff_t i = task * o->piece; i < last; i++) {
        float *dy = o->dy.data + i * o->dy.pixel;
        if (o->f.kind != PIX_ACTIVATION_NONE)
            cpu_activate_backward(o->f, o->y.data + i * o->y.pixel, dy, dy, (size_t)c, false);
        if (sums)
            for (int j = 0; j < c; j++)
                sums[j] += (double)dy[j];
    }
}

static void output_backward(const PixDevice *device, const PixCall *call)
{
    Output o = output_of(call);
    const PixTensor *dbias = &call->dparam[PIX_SLOT_BIAS];
    if (dbias->buffer)
        o.sums = (double *)(void *)call->scratch->data;
    if (o.sums || o.f.kind != PIX_ACTIVATION_NONE)
        cpu_parallel(cpu_device(device)->pool, pieces(&o), run_piece, &o);
    if (!o.sums)
        return;
    float *to = cpu_view(dbias).data;
    for (int c = 0; c < o.dy.c; c++) {
        double sum = 0;
        for (int i = 0; i < pieces(&o); i++)
            sum += o.sums[(ptrdiff_t)i * o.dy.c + c];
        to[c] = (float)(sum + (call->dparam_adds ? (double)to[c] : 0));
    }
}

/* ---- the input ---- */

static bool folds(const PixOp *op)
{
    return op->conv.pad.mode != PIX_PAD_ZERO;
}

/* The padded map, dense. */
static CpuView padded_view(const PixCall *call)
{
    const PixPadding *p = &call->op->conv.pad;
    PixShape in = call->in[0].shape;
    return (CpuView){.n = in.n,
                     .c = in.c,
                     .h = in.h + p->top + p->bottom,
                     .w = in.w + p->left + p->right,
                     .pixel = in.c};
}

static CpuConv adjoint_of(const PixCall *call)
{
    int c = call->in[0].shape.c;
    PixTensor dout = call->dout, din = call->din[0];
    dout.shape = call->out.shape;
    din.shape = call->in[0].shape;
    return (CpuConv){.op = cpu_adjoint(call->op, c),
                     .x = cpu_view(&dout),
                     .y = folds(call->op) ? padded_view(call) : cpu_view(&din),
                     .weights = cpu_vector(&call->param[PIX_SLOT_WEIGHT]),
                     .transposes = true,
                     .adds = call->din_adds[0] && !folds(call->op)};
}

typedef struct {
    PixPadding pad;
    CpuView from, to;
    bool adds;
} Fold;

static void fold_row(const Fold *f, const float *from, float *to)
{
    for (int px = 0; px < f->from.w; px++) {
        int x = cpu_padded_index(px - f->pad.left, f->to.w, f->pad.mode);
        for (int c = 0; c < f->to.c; c++)
            to[x * f->to.pixel + c] += from[px * f->from.pixel + c];
    }
}

/* One row of the input: all rows of the padded map that were made from it. */
static void fold(void *data, int task, int worker)
{
    const Fold *f = data;
    int n = task / f->to.h, y = task % f->to.h;
    float *to = f->to.data + (ptrdiff_t)task * f->to.w * f->to.pixel;
    for (int x = 0; x < f->to.w && !f->adds; x++)
        memset(to + x * f->to.pixel, 0, (size_t)f->to.c * sizeof *to);
    for (int py = 0; py < f->from.h; py++)
        if (cpu_padded_index(py - f->pad.top, f->to.h, f->pad.mode) == y)
            fold_row(f, f->from.data + ((ptrdiff_t)n * f->from.h + py) * f->from.w * f->from.pixel,
                     to);
}

static size_t view_floats(CpuView view)
{
    return (size_t)view.n * (size_t)view.h * (size_t)view.w * (size_t)view.pixel;
}

static void input_backward(const PixDevice *device, const PixCall *call)
{
    CpuConv adjoint = adjoint_of(call);
    float *scratch = call->scratch->data;
    if (folds(call->op))
        adjoint.y.data = scratch + cpu_winograd_run_once_floats(device, &adjoint);
    cpu_winograd_run_once(device, &adjoint, scratch);
    if (!folds(call->op))
        return;
    Fold f = {call->op->conv.pad, adjoint.y, cpu_view(&call->din[0]), call->din_adds[0]};
    cpu_parallel(cpu_device(device)->pool, f.to.n * f.to.h, fold, &f);
}

/* ---- the row ---- */

static CpuConv forward_of(const PixCall *call)
{
    PixTensor dout = call->dout;
    dout.shape = call->out.shape;
    return (CpuConv){.op = *call->op, .x = cpu_view(&call->in[0]), .y = cpu_view(&dout)};
}

size_t cpu_conv_backward_scratch(const PixDevice *device, const PixCall *call)
{
    CpuConv forward = forward_of(call), adjoint = adjoint_of(call);
    Output o = output_of(call);
    size_t output = (size_t)pieces(&o) * (size_t)o.y.c * sizeof(double) / sizeof(float);
    size_t weights = cpu_conv_weight_gradient_floats(device, &forward);
    size_t input = cpu_winograd_run_once_floats(device, &adjoint) +
                   (folds(call->op) ? view_floats(adjoint.y) : 0);
    return MAX(MAX(output, weights), input) * sizeof(float);
}

void cpu_conv_backward(PixDevice *device, const PixCall *call)
{
    g_assert(call->op->conv.norm.kind == PIX_NORM_NONE);
    output_backward(device, call);
    if (call->dparam[PIX_SLOT_WEIGHT].buffer) {
        CpuConv forward = forward_of(call);
        cpu_conv_weight_gradient(device, &forward, cpu_view(&call->dparam[PIX_SLOT_WEIGHT]).data,
                                 call->dparam_adds, call->scratch->data);
    }
    if (call->din[0].buffer)
        input_backward(device, call);
}
