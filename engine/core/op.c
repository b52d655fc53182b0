/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "op.h"

#include "error.h"

static const struct {
    const char *name;
    int n_inputs;
} ops[PIX_OP_COUNT] = {
    [PIX_OP_INPUT] = {"input", 0},
    [PIX_OP_CONV] = {"conv", 1},
    [PIX_OP_DECONV] = {"deconv", 1},
    [PIX_OP_NORM] = {"norm", 1},
    [PIX_OP_ACTIVATION] = {"activation", 1},
    [PIX_OP_DROPOUT] = {"dropout", 1},
    [PIX_OP_PAD] = {"pad", 1},
    [PIX_OP_CONCAT] = {"concat", 2},
    [PIX_OP_ADD] = {"add", 2},
    [PIX_OP_UPSAMPLE] = {"upsample", 1},
    [PIX_OP_ACTIVATION_TANGENT] = {"activation tangent", 2},
    [PIX_OP_NORM_TANGENT] = {"norm tangent", 2},
};

const char *const pix_norm_names[] = {
    [PIX_NORM_NONE] = "none", [PIX_NORM_BATCH] = "batch", [PIX_NORM_INSTANCE] = "instance", NULL};

bool pix_slot_is_trained(PixSlot slot)
{
    return slot != PIX_SLOT_MEAN && slot != PIX_SLOT_VARIANCE;
}

const char *pix_op_name(PixOpKind kind)
{
    return ops[kind].name;
}

int pix_op_n_inputs(PixOpKind kind)
{
    return ops[kind].n_inputs;
}

static bool check_padding(const PixPadding *pad, PixShape in, GError **error)
{
    int tallest = MAX(pad->top, pad->bottom), widest = MAX(pad->left, pad->right);
    if (pad->mode == PIX_PAD_REFLECT && (tallest >= in.h || widest >= in.w))
        return pix_fail(error, PIX_ERROR_BAD_SHAPE,
                        "a %dx%d map is too small to be padded by reflection by %d pixels", in.w,
                        in.h, MAX(tallest, widest));
    return true;
}

static bool infer_conv(const PixOp *op, PixShape in, PixShape *out, GError **error)
{
    const PixConvOp *o = &op->conv;
    bool conv = op->kind == PIX_OP_CONV;
    if (!check_padding(&o->pad, in, error))
        return false;
    *out = (PixShape){
        in.n, o->oc,
        conv ? pix_conv_side(in.h, o->kh, o->sh, o->pad.top, o->pad.bottom)
             : pix_deconv_side(in.h, o->kh, o->sh, o->pad.top, o->pad.bottom, o->output_pad_h),
        conv ? pix_conv_side(in.w, o->kw, o->sw, o->pad.left, o->pad.right)
             : pix_deconv_side(in.w, o->kw, o->sw, o->pad.left, o->pad.right, o->output_pad_w)};
    if (out->h < 1 || out->w < 1)
        return pix_fail(error, PIX_ERROR_BAD_SHAPE, "a %dx%d map is too small for a %dx%d kernel",
                        in.w, in.h, o->kw, o->kh);
    return true;
}

static bool infer_concat(const PixShape *in, PixShape *out, GError **error)
{
    if (in[0].n != in[1].n || in[0].h != in[1].h || in[0].w != in[1].w)
        return pix_fail(error, PIX_ERROR_BAD_SHAPE,
                        "maps of %dx%d and %dx%d pixels meet where sizes must be equal", in[0].w,
                        in[0].h, in[1].w, in[1].h);
    *out = in[0];
    out->c += in[1].c;
    return true;
}

bool pix_op_infer(const PixOp *op, const PixShape *in, PixShape *out, GError **error)
{
    *out = in[0];
    switch (op->kind) {
    case PIX_OP_CONV:
    case PIX_OP_DECONV:
        if (!infer_conv(op, in[0], out, error))
            return false;
        break;
    case PIX_OP_PAD:
        if (!check_padding(&op->pad, in[0], error))
            return false;
        out->h += op->pad.top + op->pad.bottom;
        out->w += op->pad.left + op->pad.right;
        break;
    case PIX_OP_CONCAT:
        if (!infer_concat(in, out, error))
            return false;
        break;
    case PIX_OP_ADD:
    case PIX_OP_ACTIVATION_TANGENT:
    case PIX_OP_NORM_TANGENT:
        if (!pix_shape_equal(in[0], in[1]))
            return pix_fail(error, PIX_ERROR_BAD_SHAPE,
                            "%dx%dx%d and %dx%dx%d maps cannot be added", in[0].c, in[0].h, in[0].w,
                            in[1].c, in[1].h, in[1].w);
        break;
    case PIX_OP_UPSAMPLE:
        out->h = in[0].h > PIX_MAX_SIDE / op->factor ? 0 : in[0].h * op->factor;
        out->w = in[0].w > PIX_MAX_SIDE / op->factor ? 0 : in[0].w * op->factor;
        break;
    case PIX_OP_INPUT:
    case PIX_OP_NORM:
    case PIX_OP_ACTIVATION:
    case PIX_OP_DROPOUT:
    case PIX_OP_COUNT:
        break;
    }
    if (!pix_shape_valid(*out))
        return pix_fail(error, PIX_ERROR_BAD_SHAPE, "a %dx%dx%dx%d map is too large", out->n,
                        out->c, out->h, out->w);
    return true;
}

bool pix_op_keeps_input(const PixOp *op, int j)
{
    switch (op->kind) {
    case PIX_OP_CONV:
    case PIX_OP_DECONV:
    case PIX_OP_NORM:
    case PIX_OP_NORM_TANGENT:
        return true;
    case PIX_OP_ACTIVATION_TANGENT:
        return j == 1;
    default:
        return false;
    }
}

bool pix_op_keeps_output(const PixOp *op)
{
    switch (op->kind) {
    case PIX_OP_CONV:
    case PIX_OP_DECONV:
        return op->conv.activation.kind != PIX_ACTIVATION_NONE;
    case PIX_OP_NORM:
        return op->norm.activation.kind != PIX_ACTIVATION_NONE;
    case PIX_OP_ACTIVATION:
        return true;
    default:
        return false;
    }
}

PixShape pix_op_saved(const PixOp *op, PixShape in, int i)
{
    bool norm = op->kind == PIX_OP_NORM || op->kind == PIX_OP_NORM_TANGENT;
    if (!norm || op->norm.running || i >= PIX_MAX_SAVED)
        return (PixShape){0};
    return (PixShape){op->norm.kind == PIX_NORM_INSTANCE ? in.n : 1, in.c, 1, 1};
}

/* How many of @taps a kernel that moves in @steps steps of @stride puts on a side of @side. */
static int taps_met(int taps, int stride, int pad, int steps, int side)
{
    int met = 0;
    for (int tap = 0; tap < taps; tap++) {
        bool meets = false;
        for (int i = 0; i < steps && !meets; i++)
            meets = i * stride - pad + tap >= 0 && i * stride - pad + tap < side;
        met += meets;
    }
    return met;
}

double pix_op_weights_met(const PixOp *op, PixShape in, PixShape out)
{
    const PixConvOp *o = &op->conv;
    PixShape few = op->kind == PIX_OP_CONV ? out : in, many = op->kind == PIX_OP_CONV ? in : out;
    if (o->pad.mode != PIX_PAD_ZERO)
        return 1;
    return (double)taps_met(o->kh, o->sh, o->pad.top, few.h, many.h) *
           taps_met(o->kw, o->sw, o->pad.left, few.w, many.w) / (o->kh * o->kw);
}

double pix_op_flops(const PixOp *op, const PixShape *in, PixShape out)
{
    double each = (double)pix_shape_count(out);
    switch (op->kind) {
    case PIX_OP_CONV:
        return 2.0 * each * in[0].c * op->conv.kh * op->conv.kw;
    case PIX_OP_DECONV:
        return 2.0 * (double)pix_shape_count(in[0]) * out.c * op->conv.kh * op->conv.kw;
    case PIX_OP_NORM:
    case PIX_OP_NORM_TANGENT:
        return 5.0 * each;
    case PIX_OP_ACTIVATION_TANGENT:
    case PIX_OP_ACTIVATION:
    case PIX_OP_DROPOUT:
    case PIX_OP_ADD:
        return each;
    default:
        return 0;
    }
}

char *pix_op_describe(const PixOp *op, PixShape in, PixShape out)
{
    static const char *const activations[] = {"", " relu", " leaky_relu", " tanh"};
    static const char *const norms[] = {"", " batch_norm", " instance_norm"};
    bool conv = op->kind == PIX_OP_CONV || op->kind == PIX_OP_DECONV;
    GString *text = g_string_new(conv && op->conv.rectifies ? "relu, " : "");
    g_string_append(text, pix_op_name(op->kind));
    g_string_append_printf(text, " %dx%dx%d -> %dx%dx%d", in.c, in.h, in.w, out.c, out.h, out.w);
    if (conv)
        g_string_append_printf(text, " k%d s%d%s%s%s", op->conv.kh, op->conv.sh,
                               op->conv.norm.running ? " norm" : norms[op->conv.norm.kind],
                               activations[op->conv.activation.kind],
                               op->conv.dropout.rate > 0 ? " dropout" : "");
    if (op->kind == PIX_OP_NORM)
        g_string_append(text, activations[op->norm.activation.kind]);
    if (op->kind == PIX_OP_ACTIVATION)
        g_string_append(text, activations[op->activation.kind]);
    return g_string_free(text, FALSE);
}
