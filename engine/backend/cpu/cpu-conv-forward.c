/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The forward row of convolutions: the sums, and what fuse.c has put behind them. */
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

/* ---- all of it ---- */

/* Room for scale and shift, each (oc), before that of the workers. */
static size_t vector_floats(const PixCall *call)
{
    return (2 * (size_t)call->out.shape.c + 15) / 16 * 16;
}

size_t cpu_conv_scratch(const PixDevice *device, const PixCall *call)
{
    PixOp op;
    CpuConv conv = forward_of(call);
    PixCall norm = norm_of(call, &op);
    CpuWinograd winograd;
    size_t floats = cpu_conv_run_floats(device, &conv);
    if (cpu_winograd_of(device, &conv, &winograd))
        floats = MAX(floats, cpu_winograd_run_floats(device, &winograd));
    size_t bytes = (vector_floats(call) + floats) * sizeof(float);
    return pix_conv_measures(&call->op->conv) ? MAX(bytes, cpu_norm_scratch(device, &norm)) : bytes;
}

/* ---- what is prepared: the weights of minimal filtering ---- */

static float *prepared_of(const PixCall *call)
{
    return call->prepared.buffer->data + call->prepared.offset / sizeof(float);
}

size_t cpu_conv_prepared(const PixDevice *device, const PixCall *call)
{
    CpuConv conv = forward_of(call);
    CpuWinograd winograd;
    return cpu_winograd_of(device, &conv, &winograd)
               ? cpu_winograd_weight_floats(&winograd) * sizeof(float)
               : 0;
}

void cpu_conv_prepare(PixDevice *device, const PixCall *call)
{
    CpuConv conv = forward_of(call);
    CpuWinograd winograd;
    if (cpu_winograd_of(device, &conv, &winograd))
        cpu_winograd_prepare(device, &winograd, prepared_of(call));
}

const char *cpu_conv_algorithm(const PixDevice *device, const PixCall *call)
{
    CpuConv conv = forward_of(call);
    CpuWinograd winograd;
    return call->prepared.buffer && cpu_winograd_of(device, &conv, &winograd)
               ? winograd.name
               : cpu_device(device)->micro->algorithm;
}

/* ---- forward ---- */

void cpu_conv_forward(PixDevice *device, const PixCall *call)
{
    CpuConv conv = forward_of(call);
    float *scale = call->scratch->data, *shift = scale + conv.y.c;
    if (call->op->conv.norm.running) {
        fold_norm(call, scale, shift);
        conv.scale = scale;
        conv.shift = shift;
    }
    float *scratch = call->scratch->data + vector_floats(call);
    CpuWinograd winograd;
    if (call->prepared.buffer && cpu_winograd_of(device, &conv, &winograd))
        cpu_winograd_run(device, &winograd, prepared_of(call), scratch);
    else
        cpu_conv_run(device, &conv, scratch);
    if (pix_conv_measures(&call->op->conv))
        normalise(device, call);
}
