/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The forward row of convolutions: the sums, and what fuse.c has put behind them. */
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
    if (pix_conv_measures(&call->op->conv)) /* the norm comes before it */
        conv.op.conv.activation = (PixActivation){PIX_ACTIVATION_NONE};
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

static void normalise(PixDevice *device, const PixCall *call)
{
    PixOp op;
    PixCall norm = norm_of(call, &op);
    cpu_norm_forward(device, &norm);
    op = (PixOp){.kind = PIX_OP_DROPOUT, .dropout = call->op->conv.dropout};
    if (op.dropout.rate > 0)
        cpu_dropout_forward(device, &norm);
}

/* Room for scale and shift, each (oc), before that of the workers. */
static size_t vector_floats(const PixCall *call)
{
    return (2 * (size_t)call->out.shape.c + 15) / 16 * 16;
}

/* ---- the ways to do it ---- */

typedef enum { DIRECT, WINOGRAD, REDUCED } Way;

/* Where weights are prepared, the fastest; else the first. */
typedef struct {
    Way way;
    CpuConv conv;
    CpuWinograd winograd;
    CpuReduced reduced;
} Choice;

static Choice choose(const PixDevice *device, const CpuConv *conv, bool prepared)
{
    Choice choice = {.way = DIRECT, .conv = *conv};
    if (prepared && cpu_reduced_of(device, conv, &choice.reduced))
        choice.way = REDUCED;
    else if (prepared && cpu_winograd_of(device, conv, &choice.winograd))
        choice.way = WINOGRAD;
    return choice;
}

static size_t run_floats(const PixDevice *device, const Choice *choice)
{
    return choice->way == REDUCED    ? cpu_reduced_run_floats(device, &choice->reduced)
           : choice->way == WINOGRAD ? cpu_winograd_run_floats(device, &choice->winograd)
                                     : cpu_conv_run_floats(device, &choice->conv);
}

size_t cpu_conv_scratch(const PixDevice *device, const PixCall *call)
{
    PixOp op;
    CpuConv conv = forward_of(call);
    PixCall norm = norm_of(call, &op);
    Choice direct = choose(device, &conv, false), choice = choose(device, &conv, true);
    size_t floats = MAX(run_floats(device, &direct), run_floats(device, &choice));
    size_t bytes = (vector_floats(call) + floats) * sizeof(float);
    return pix_conv_measures(&call->op->conv) ? MAX(bytes, cpu_norm_scratch(device, &norm)) : bytes;
}

static float *prepared_of(const PixCall *call)
{
    return call->prepared.buffer->data + call->prepared.offset / sizeof(float);
}

size_t cpu_conv_prepared(const PixDevice *device, const PixCall *call)
{
    CpuConv conv = forward_of(call);
    Choice choice = choose(device, &conv, true);
    size_t floats = choice.way == REDUCED    ? cpu_reduced_prepared_floats(&choice.reduced)
                    : choice.way == WINOGRAD ? cpu_winograd_weight_floats(&choice.winograd)
                                             : 0;
    return floats * sizeof(float);
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

/* ---- forward ---- */

void cpu_conv_forward(PixDevice *device, const PixCall *call)
{
    CpuConv conv = forward_of(call);
    float *scale = call->scratch->data, *shift = scale + conv.y.c;
    float *scratch = call->scratch->data + vector_floats(call);
    if (call->op->conv.norm.running) {
        fold_norm(call, scale, shift);
        conv.scale = scale;
        conv.shift = shift;
    }
    Choice choice = choose(device, &conv, call->prepared.buffer);
    if (choice.way == REDUCED)
        cpu_reduced_run(device, &choice.reduced, prepared_of(call), scratch);
    else if (choice.way == WINOGRAD)
        cpu_winograd_run(device, &choice.winograd, prepared_of(call), scratch);
    else
        cpu_conv_run(device, &conv, scratch);
    if (pix_conv_measures(&call->op->conv))
        normalise(device, call);
}
