/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The list of ops: what each computes, its settings, its shape rule. Backends implement them as
 * rows of a table, graphs are made of them.
 *
 * Every tensor at every border is float32, NCHW, row-major; a backend may arrange it otherwise
 * inside. Dimensions are spelt n c h w (input), oc oh ow (output), kh kw (kernel), sh sw (stride).
 */
#ifndef PIX_OP_H
#define PIX_OP_H

#include <pix2pix/pix-types.h>

#include "shape.h"

typedef enum {
    PIX_OP_INPUT,      /* the network's input; no row in any table */
    PIX_OP_CONV,       /* torch.nn.Conv2d; weight (oc, c, kh, kw) */
    PIX_OP_DECONV,     /* torch.nn.ConvTranspose2d; weight (c, oc, kh, kw) */
    PIX_OP_NORM,       /* torch.nn.BatchNorm2d, InstanceNorm2d */
    PIX_OP_ACTIVATION, /* torch.nn.ReLU, LeakyReLU, Tanh */
    PIX_OP_DROPOUT,    /* torch.nn.Dropout, with the masks of rng.h */
    PIX_OP_PAD,        /* torch.nn.ZeroPad2d, ReflectionPad2d, ReplicationPad2d */
    PIX_OP_CONCAT,     /* torch.cat((x0, x1), 1) */
    PIX_OP_ADD,        /* x0 + x1, of one shape */
    PIX_OP_UPSAMPLE,   /* torch.nn.Upsample(scale_factor=factor, mode='nearest') */
    /* Derivatives along a direction, for losses on gradients: (t, y) and (t, x) give t's image. */
    PIX_OP_ACTIVATION_TANGENT, /* t * f'(x), where y = f(x) is the activation's output */
    PIX_OP_NORM_TANGENT,       /* gamma * rstd * (t - mean(t) - xhat * mean(xhat * t)) */
    PIX_OP_COUNT
} PixOpKind;

typedef enum {
    PIX_ACTIVATION_NONE,
    PIX_ACTIVATION_RELU,
    PIX_ACTIVATION_LEAKY_RELU,
    PIX_ACTIVATION_TANH,
} PixActivationKind;

/** PixActivation: y = f(x), element by element. */
typedef struct {
    PixActivationKind kind;
    float slope; /* of LEAKY_RELU below zero */
} PixActivation;

typedef enum { PIX_PAD_ZERO, PIX_PAD_REFLECT, PIX_PAD_REPLICATE } PixPadMode;

/** PixPadding: pixels added on each side. REFLECT needs each below the side that it mirrors. */
typedef struct {
    PixPadMode mode;
    int top, left, bottom, right;
} PixPadding;

typedef enum { PIX_NORM_NONE, PIX_NORM_BATCH, PIX_NORM_INSTANCE } PixNormKind;

/** pix_norm_names: "none", "batch", "instance" by value; NULL-terminated. */
extern const char *const pix_norm_names[];

/** PixNormOp: settings of NORM. Without the slots GAMMA and BETA: y = (x - mean) * rstd. */
typedef struct {
    PixNormKind kind;         /* BATCH: statistics over (n,h,w); INSTANCE: over (h,w) */
    bool running;             /* BATCH: take MEAN and VARIANCE of the slots instead */
    float eps;                /* added to the biased variance */
    PixActivation activation; /* applied last; only ever set by fuse.c */
    float momentum;           /* training: MEAN and VARIANCE move by this share to the statistics of
                                 the batch, the variance unbiased; 0: they stay */
} PixNormOp;

typedef struct {
    float rate;     /* probability of a zero; the rest is scaled by 1 / (1 - rate) */
    unsigned layer; /* which dropout layer of the network: part of the mask's key */
    bool off;       /* y = x */
} PixDropoutOp;

/** PixConvOp: settings of CONV and DECONV. DECONV pads with zeros only (it crops its output). */
typedef struct {
    int oc, kh, kw, sh, sw;
    PixPadding pad;
    int output_pad_h, output_pad_w; /* DECONV: extra rows and columns, below the stride */
    bool rectifies;                 /* takes max(x, 0) for x; only ever set by fuse.c, see PixRow */
    PixPrecision precision;  /* of its products, AUTO: that of its map; only ever set by mix.c */
    bool precision_optional; /* in that one only where it is faster; else in FP32 */
    /* Applied in this order after the sum and the bias; all only ever set by fuse.c */
    PixNormOp norm; /* of the slots GAMMA .. VARIANCE; without an activation of its own */
    PixActivation activation;
    PixDropoutOp dropout; /* rate 0: none; else there is a norm by the map's own statistics */
} PixConvOp;

/** pix_conv_measures: Whether the convolution ends with a norm by the statistics of its own map. */
static inline bool pix_conv_measures(const PixConvOp *conv)
{
    return conv->norm.kind != PIX_NORM_NONE && !conv->norm.running;
}

typedef struct {
    PixOpKind kind;
    union {
        PixConvOp conv;
        PixNormOp norm;           /* NORM_TANGENT too, without activation and momentum */
        PixActivation activation; /* ACTIVATION_TANGENT too */
        PixDropoutOp dropout;
        PixPadding pad;
        int factor; /* UPSAMPLE */
    };
} PixOp;

/** PixSlot: the parameters that an op may have. */
typedef enum {
    PIX_SLOT_WEIGHT,
    PIX_SLOT_BIAS,     /* (oc) */
    PIX_SLOT_GAMMA,    /* (c): torch's weight of a norm */
    PIX_SLOT_BETA,     /* (c): its bias */
    PIX_SLOT_MEAN,     /* (c): running_mean; not trained */
    PIX_SLOT_VARIANCE, /* (c): running_var; not trained */
    PIX_SLOT_COUNT
} PixSlot;

/** pix_slot_is_trained: Running statistics are not. */
bool pix_slot_is_trained(PixSlot slot);

/** PIX_MAX_INPUTS: CONCAT, ADD and the tangents take two tensors, every other op one. */
#define PIX_MAX_INPUTS 2

/** pix_op_name: "conv", "deconv", "norm", ... */
const char *pix_op_name(PixOpKind kind);

/** pix_op_n_inputs: How many tensors an op reads. */
int pix_op_n_inputs(PixOpKind kind);

/**
 * pix_op_infer:
 * The shape rule. @in: the shapes of its inputs.  @out: (out).
 * Errors: BAD_SHAPE, without the layer's name: the caller has it.
 */
bool pix_op_infer(const PixOp *op, const PixShape *in, PixShape *out, GError **error);

/** pix_op_keeps_input, pix_op_keeps_output: Whether its backward reads input @j or its output. */
bool pix_op_keeps_input(const PixOp *op, int j);
bool pix_op_keeps_output(const PixOp *op);

/** PIX_MAX_SAVED: tensors that forward keeps for backward beside inputs and output. */
#define PIX_MAX_SAVED 2

/**
 * pix_op_saved:
 * The shape of tensor @i of those; one with n = 0 does not exist. NORM and NORM_TANGENT on
 * statistics of the batch: 0 the mean, 1 1 / sqrt(variance + eps), (groups, c, 1, 1), with one group
 * for BATCH and one for each sample for INSTANCE.
 */
PixShape pix_op_saved(const PixOp *op, PixShape in, int i);

/** pix_op_weights_met: Of CONV and DECONV: the share of the kernel that ever meets the map itself, and
 * not its padding alone. */
double pix_op_weights_met(const PixOp *op, PixShape in, PixShape out);

/** pix_op_flops: Floating-point operations on tensors of these shapes; a multiply-add is two. */
double pix_op_flops(const PixOp *op, const PixShape *in, PixShape out);

/** pix_op_describe: Returns: (transfer full): "conv 64x128x128 -> 128x64x64 k4 s2 p1". */
char *pix_op_describe(const PixOp *op, PixShape in, PixShape out);

#endif
