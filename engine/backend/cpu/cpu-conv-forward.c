/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The forward row of convolutions: the sums, and what fuse.c has put behind them. */
#include "cpu-norm.h"
#include "cpu-reduced.h"
#include "cpu-winograd.h"

/* y = (sum + bias - mean) * rstd * gamma + beta as y = sum * scale + shift. */
static void fold_norm(const PixCall *call, float *scale, float *shift)
{
    const PixTensor *param = call->param;
    const float *bias = cpu_vector(&param[PIX_SLOT_BIAS]);
    const float *gamma = cpu_vector(&param[PIX_SLOT_GAMMA]);
    const float *beta = cpu_vector(&param[PIX_SLOT_BETA]);
    const float *mean = cpu_vector(&param[PIX_SLOT_MEAN]);
    const float *variance = cpu_vector(&param[PIX_SLOT_VARIANCE]);
    for (int i = 0; i < call->out.shape.c; i++) {
        scale[i] = (gamma ? gamma[i] : 1) / __builtin_sqrtf(variance[i] + call->op->conv.norm.eps);
        shift[i] = ((bias ? bias[i] : 0) - mean[i]) * scale[i] + (beta ? beta[i] : 0);
    }
}

static CpuConv forward_of(const PixCall *call)
{
    CpuConv conv = {.op = *call->op,
                    .x = cpu_view(&call->in[0]),
                    .y = cpu_view(&call->out),
                    .weights = cpu_vector(&call->param[PIX_SLOT_WEIGHT]),
                    .shift = cpu_vector(&call->param[PIX_SLOT_BIAS]),
                    .rectifies = call->op->conv.rectifies};
    if (pix_conv_measures(&call->op->conv)) { /* the norm comes before, and takes the bias away */
        conv.op.conv.activation = (PixActivation){PIX_ACTIVATION_NONE};
        conv.shift = NULL;
    }
    return conv;
}

/* ---- a norm by the map's own statistics, in place ---- */

/* @op: (out): of the call. */
static PixCall norm_of(const PixCall *call, PixOp *op)
{
    *op = (PixOp){.kind = PIX_OP_NORM, .norm = call->op->conv.norm};
    op->norm.activation = call->op->conv.activation;
    PixCall norm = *call;
    norm.op = op;
    norm.in[0] = call->out;
    return norm;
}

/* @parts: as CpuConv.parts, @n_parts of them; 0: the norm sums for itself. */
static void normalise(PixDevice *device, const PixCall *call, const double *parts, int n_parts)
{
    PixOp op;
    PixCall norm = norm_of(call, &op);
    cpu_norm_apply(device, &norm, parts, n_parts);
    op = (PixOp){.kind = PIX_OP_DROPOUT, .dropout = call->op->conv.dropout};
    if (op.dropout.rate > 0)
        cpu_dropout_forward(device, &norm);
}

/* ---- the ways to do it ---- */

typedef enum { DIRECT, WINOGRAD, REDUCED } Way;

/* @prepares: weights are made ready each time, in scratch memory before that of the workers. */
typedef struct {
    Way way;
    bool prepares;
    CpuConv conv;
    CpuWinograd winograd;
    CpuReduced reduced;
} Choice;

static Choice choose(const PixDevice *device, const CpuConv *conv, bool prepared)
{
    Choice choice = {.way = DIRECT, .prepares = !prepared, .conv = *conv};
    if (prepared && cpu_reduced_of(device, conv, &choice.reduced))
        choice.way = REDUCED;
    else if (cpu_winograd_of(device, conv, !prepared, &choice.winograd))
        choice.way = WINOGRAD;
    return choice;
}

static size_t weight_floats(const Choice *choice)
{
    return choice->way == REDUCED    ? cpu_reduced_prepared_floats(&choice->reduced)
           : choice->way == WINOGRAD ? cpu_winograd_weight_floats(&choice->winograd)
                                     : 0;
}

static size_t run_floats(const PixDevice *device, const Choice *choice)
{
    size_t floats = choice->way == REDUCED    ? cpu_reduced_run_floats(device, &choice->reduced)
                    : choice->way == WINOGRAD ? cpu_winograd_run_floats(device, &choice->winograd)
                                              : cpu_conv_run_floats(device, &choice->conv);
    return floats + (choice->prepares ? weight_floats(choice) : 0);
}

/* How many parts of the statistics the convolution sums while it stores. */
static int parts_of(const PixDevice *device, const PixCall *call, const Choice *choice)
{
    const PixNormOp *norm = &call->op->conv.norm;
    bool one_group = norm->kind == PIX_NORM_BATCH || call->out.shape.n == 1;
    if (!pix_conv_measures(&call->op->conv) || !one_group)
        return 0;
    return choice->way == REDUCED    ? cpu_reduced_parts(device, &choice->reduced)
           : choice->way == WINOGRAD ? cpu_winograd_parts(device, &choice->winograd)
                                     : cpu_conv_parts(device, &choice->conv);
}

/*
 * Scratch memory: that of the norm, so much of it as there is none of beside it; the parts, each
 * (2, oc) doubles; scale and shift, each (oc); that of the workers.
 */
typedef struct {
    int n_parts;
    size_t norm_floats, part_floats, vector_floats;
} Layout;

static size_t rounded(size_t floats)
{
    return (floats + 15) / 16 * 16;
}

static Layout layout_of(const PixDevice *device, const PixCall *call, const Choice *choice)
{
    PixOp op;
    PixCall norm = norm_of(call, &op);
    size_t oc = (size_t)call->out.shape.c;
    Layout l = {.n_parts = parts_of(device, call, choice), .vector_floats = rounded(2 * oc)};
    if (pix_conv_measures(&call->op->conv))
        l.norm_floats = rounded(cpu_norm_scratch(device, &norm) / sizeof(float) + 1);
    l.part_floats = rounded((size_t)l.n_parts * 2 * oc * (sizeof(double) / sizeof(float)));
    return l;
}

static size_t scratch_floats(const PixDevice *device, const PixCall *call, bool prepared)
{
    CpuConv conv = forward_of(call);
    Choice choice = choose(device, &conv, prepared);
    Layout l = layout_of(device, call, &choice);
    return l.norm_floats + l.part_floats + l.vector_floats + run_floats(device, &choice);
}

size_t cpu_conv_scratch(const PixDevice *device, const PixCall *call)
{
    return sizeof(float) *
           MAX(scratch_floats(device, call, false), scratch_floats(device, call, true));
}

static float *prepared_of(const PixCall *call)
{
    return call->prepared.buffer->data + call->prepared.offset / sizeof(float);
}

size_t cpu_conv_prepared(const PixDevice *device, const PixCall *call)
{
    CpuConv conv = forward_of(call);
    Choice choice = choose(device, &conv, true);
    return weight_floats(&choice) * sizeof(float);
}

void cpu_conv_prepare(PixDevice *device, const PixCall *call)
{
    CpuConv conv = forward_of(call);
    Choice choice = choose(device, &conv, true);
    if (choice.way == REDUCED)
        cpu_reduced_prepare(device, &choice.reduced, prepared_of(call));
    else if (choice.way == WINOGRAD)
        cpu_winograd_prepare(device, &choice.winograd, prepared_of(call));
}

const char *cpu_conv_algorithm(const PixDevice *device, const PixCall *call)
{
    CpuConv conv = forward_of(call);
    Choice choice = choose(device, &conv, call->prepared.buffer);
    return choice.way == REDUCED    ? choice.reduced.name
           : choice.way == WINOGRAD ? choice.winograd.name
                                    : cpu_device(device)->micro->algorithm;
}

char *cpu_conv_reason(const PixDevice *device, const PixCall *call)
{
    CpuConv conv = forward_of(call);
    Choice choice = choose(device, &conv, call->prepared.buffer);
    if (choice.way == REDUCED)
        return g_strdup("its precision");
    if (choice.winograd.cost == G_MAXDOUBLE)
        return NULL;
    if (cpu_device(device)->convolution)
        return g_strdup("PIX2PIX_CPU");
    return g_strdup_printf("filtering costs %.2f of gemm, estimated", choice.winograd.cost);
}

/* ---- forward ---- */

static void run(const PixDevice *device, const PixCall *call, const Choice *choice, float *scratch)
{
    float *weights = choice->prepares ? scratch : prepared_of(call);
    if (choice->prepares)
        scratch += weight_floats(choice);
    if (choice->way == WINOGRAD && choice->prepares)
        cpu_winograd_prepare(device, &choice->winograd, weights);
    if (choice->way == REDUCED)
        cpu_reduced_run(device, &choice->reduced, weights, scratch);
    else if (choice->way == WINOGRAD)
        cpu_winograd_run(device, &choice->winograd, weights, scratch);
    else
        cpu_conv_run(device, &choice->conv, scratch);
}

void cpu_conv_forward(PixDevice *device, const PixCall *call)
{
    CpuConv conv = forward_of(call);
    Choice choice = choose(device, &conv, call->prepared.buffer);
    Layout l = layout_of(device, call, &choice);
    double *parts = (double *)(call->scratch->data + l.norm_floats);
    float *scale = call->scratch->data + l.norm_floats + l.part_floats, *shift = scale + conv.y.c;
    float *scratch = scale + l.vector_floats;
    if (call->op->conv.norm.running) {
        fold_norm(call, scale, shift);
        conv.scale = scale;
        conv.shift = shift;
    }
    conv.parts = l.n_parts > 0 ? parts : NULL;
    choice = choose(device, &conv, call->prepared.buffer);
    run(device, call, &choice, scratch);
    if (pix_conv_measures(&call->op->conv))
        normalise(device, call, parts, l.n_parts);
}
