/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu-conv-choice.h"

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

static int parts_of(const PixDevice *device, const PixCall *call, const CpuChoice *choice)
{
    const PixNormOp *norm = &call->op->conv.norm;
    bool one_group = norm->kind == PIX_NORM_BATCH || call->out.shape.n == 1;
    if (!pix_conv_measures(&call->op->conv) || !one_group)
        return 0;
    return choice->way == CPU_REDUCED    ? cpu_reduced_parts(device, &choice->reduced)
           : choice->way == CPU_WINOGRAD ? cpu_winograd_parts(&choice->winograd)
                                         : cpu_conv_parts(device, &choice->conv);
}

static double reduced_cost(const PixDevice *device, const CpuReduced *r)
{
    const CpuMicro *micro = cpu_device(device)->micro;
    return cpu_conv_cost(micro, &r->of, r->gain, 1. / r->per) / cpu_conv_cost(micro, &r->of, 1, 1);
}

/* Whether it is done in the precision that it asks for. */
static bool reduces(const PixDevice *device, const PixCall *call, CpuChoice *choice)
{
    if (!call->fixed || !cpu_reduced_of(device, &choice->conv, &choice->reduced))
        return false;
    choice->reduced_cost = reduced_cost(device, &choice->reduced);
    return !call->op->conv.precision_optional ||
           choice->reduced_cost < MIN(1, choice->winograd.cost);
}

CpuChoice cpu_choose(const PixDevice *device, const PixCall *call)
{
    CpuChoice choice = {.prepares = !call->fixed, .conv = forward_of(call)};
    bool filters = cpu_winograd_of(device, &choice.conv, choice.prepares, &choice.winograd);
    if (reduces(device, call, &choice))
        choice.way = CPU_REDUCED;
    else if (filters)
        choice.way = CPU_WINOGRAD;
    choice.n_parts = parts_of(device, call, &choice);
    return choice;
}

size_t cpu_choice_weight_floats(const CpuChoice *choice)
{
    return choice->way == CPU_REDUCED    ? cpu_reduced_prepared_floats(&choice->reduced)
           : choice->way == CPU_WINOGRAD ? cpu_winograd_weight_floats(&choice->winograd)
                                         : 0;
}

size_t cpu_choice_run_floats(const PixDevice *device, const CpuChoice *choice)
{
    size_t floats = choice->way == CPU_REDUCED ? cpu_reduced_run_floats(device, &choice->reduced)
                    : choice->way == CPU_WINOGRAD
                        ? cpu_winograd_run_floats(device, &choice->winograd)
                        : cpu_conv_run_floats(device, &choice->conv);
    return floats + (choice->prepares ? cpu_choice_weight_floats(choice) : 0);
}

void cpu_choice_prepare(const PixDevice *device, const CpuChoice *choice, float *to)
{
    if (choice->way == CPU_REDUCED)
        cpu_reduced_prepare(device, &choice->reduced, to);
    else if (choice->way == CPU_WINOGRAD)
        cpu_winograd_prepare(device, &choice->winograd, to);
}

void cpu_choice_run(const PixDevice *device, const CpuChoice *choice, const CpuConv *conv,
                    const float *prepared, float *scratch)
{
    CpuChoice c = *choice;
    c.conv = c.winograd.of = c.reduced.of = *conv;
    if (c.prepares) {
        cpu_choice_prepare(device, &c, scratch);
        prepared = scratch;
        scratch += cpu_choice_weight_floats(&c);
    }
    if (c.way == CPU_REDUCED)
        cpu_reduced_run(device, &c.reduced, prepared, scratch);
    else if (c.way == CPU_WINOGRAD)
        cpu_winograd_run(device, &c.winograd, prepared, scratch);
    else
        cpu_conv_run(device, &c.conv, scratch);
}
