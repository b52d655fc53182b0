/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The forward row of convolutions: the sums, and what fuse.c has put behind them. */
#include "cpu-conv-choice.h"
#include "cpu-norm.h"

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

/* ---- the choice ---- */

void *cpu_conv_choose(const PixDevice *device, const PixCall *call)
{
    CpuChoice choice = cpu_choose(device, call);
    return g_memdup2(&choice, sizeof choice);
}

/* That of the call, or where it has none, @own. */
static const CpuChoice *choice_of(const PixDevice *device, const PixCall *call, CpuChoice *own)
{
    if (call->choice)
        return call->choice;
    *own = cpu_choose(device, call);
    return own;
}

const char *cpu_conv_algorithm(const PixDevice *device, const PixCall *call)
{
    CpuChoice own;
    const CpuChoice *choice = choice_of(device, call, &own);
    return choice->way == CPU_REDUCED    ? choice->reduced.name
           : choice->way == CPU_WINOGRAD ? choice->winograd.name
                                         : cpu_device(device)->micro->algorithm;
}

PixPrecision cpu_conv_precision(const PixDevice *device, const PixCall *call)
{
    CpuChoice own;
    return choice_of(device, call, &own)->way == CPU_REDUCED ? call->op->conv.precision
                                                             : PIX_PRECISION_FP32;
}

char *cpu_conv_reason(const PixDevice *device, const PixCall *call)
{
    CpuChoice own;
    const CpuChoice *choice = choice_of(device, call, &own);
    if (choice->way == CPU_REDUCED)
        return g_strdup_printf("its precision costs %.2f of gemm, estimated", choice->reduced_cost);
    if (cpu_device(device)->convolution)
        return g_strdup("PIX2PIX_CPU");
    if (choice->winograd.cost == G_MAXDOUBLE)
        return NULL;
    return g_strdup_printf("filtering costs %.2f of gemm, estimated", choice->winograd.cost);
}

/* ---- memory ---- */

/*
 * Scratch memory: that of the norm, so much of it as there is none of beside it; the parts, each
 * (2, oc) doubles; scale and shift, each (oc); that of the workers.
 */
typedef struct {
    size_t norm_floats, part_floats, vector_floats;
} Layout;

static Layout layout_of(const PixDevice *device, const PixCall *call, const CpuChoice *choice)
{
    PixOp op;
    PixCall norm = norm_of(call, &op);
    size_t oc = (size_t)call->out.shape.c;
    Layout l = {.vector_floats = cpu_rounded(2 * oc)};
    if (pix_conv_measures(&call->op->conv))
        l.norm_floats = cpu_rounded(cpu_norm_scratch(device, &norm) / sizeof(float) + 1);
    l.part_floats =
        cpu_rounded((size_t)choice->n_parts * 2 * oc * (sizeof(double) / sizeof(float)));
    return l;
}

size_t cpu_conv_scratch(const PixDevice *device, const PixCall *call)
{
    CpuChoice own;
    const CpuChoice *choice = choice_of(device, call, &own);
    Layout l = layout_of(device, call, choice);
    return sizeof(float) * (l.norm_floats + l.part_floats + l.vector_floats +
                            cpu_choice_run_floats(device, choice));
}

static float *prepared_of(const PixCall *call)
{
    const PixRange *range = &call->prepared;
    return range->buffer ? range->buffer->data + range->offset / sizeof(float) : NULL;
}

size_t cpu_conv_prepared(const PixDevice *device, const PixCall *call)
{
    CpuChoice own;
    const CpuChoice *choice = choice_of(device, call, &own);
    return choice->prepares ? 0 : cpu_choice_weight_floats(choice) * sizeof(float);
}

void cpu_conv_prepare(PixDevice *device, const PixCall *call)
{
    CpuChoice own;
    cpu_choice_prepare(device, choice_of(device, call, &own), prepared_of(call));
}

/* ---- forward ---- */

void cpu_conv_forward(PixDevice *device, const PixCall *call)
{
    CpuChoice own;
    const CpuChoice *choice = choice_of(device, call, &own);
    CpuConv conv = choice->conv;
    Layout l = layout_of(device, call, choice);
    double *parts = (double *)(call->scratch->data + l.norm_floats);
    float *scale = call->scratch->data + l.norm_floats + l.part_floats, *shift = scale + conv.y.c;
    if (call->op->conv.norm.running) {
        fold_norm(call, scale, shift);
        conv.scale = scale;
        conv.shift = shift;
    }
    conv.parts = choice->n_parts > 0 ? parts : NULL;
    cpu_choice_run(device, choice, &conv, prepared_of(call), scale + l.vector_floats);
    if (pix_conv_measures(&call->op->conv))
        normalise(device, call, parts, choice->n_parts);
}
