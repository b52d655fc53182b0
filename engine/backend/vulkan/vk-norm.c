/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Batch and instance norm: statistics first, then y = f((x - mean) * rstd * gamma + beta). */
#include "vk-norm.h"

#include "rng.h"

/* The most pixels of a group that one workgroup for each few channels both measures and normalises. */
#define WHOLE_PIXELS 1024

static bool is_whole(const PixCall *call)
{
    PixShape s = call->in[0].shape;
    int samples = call->op->norm.kind == PIX_NORM_INSTANCE ? 1 : s.n;
    return !call->op->norm.running && (size_t)samples * s.h * s.w <= WHOLE_PIXELS;
}

static bool is_kept(const VulkanNorm *norm)
{
    return norm->call->saved[0].buffer || norm->push.running_mean != VK_NOTHING;
}

static VulkanBinding bind_x(const VulkanNorm *norm)
{
    VulkanBinding x = vk_bind(norm->x, false);
    x.bytes *= MAX(norm->push.splits, 1);
    return x;
}

static void measure_pieces(VulkanNorm *norm)
{
    VulkanDispatch dispatch = {.shader = VK_SHADER_NORM_MEASURE,
                               .bindings = {bind_x(norm), vk_norm_writes(norm->parts)}};
    norm->push.x = vk_place(norm->x);
    vk_norm_rows(norm, dispatch, norm->push.pieces, norm->push.groups);
}

void vk_norm_measure(VulkanNorm *norm)
{
    if (norm->call->op->norm.running)
        return;
    VulkanBinding stats = vk_norm_writes(norm->stats);
    VulkanDispatch merge = {
        .shader = VK_SHADER_NORM_MERGE,
        .bindings = {norm->parts, {0}, stats, vk_norm_may_write(norm->vectors.binding, stats)}};
    measure_pieces(norm);
    vk_norm_rows(norm, merge, 1, norm->push.groups);
}

static void set_varying(const VulkanNorm *norm, VulkanDispatch *dispatch)
{
    if (norm->push.threshold == 0)
        return;
    dispatch->varying = norm->call->frame;
    dispatch->varying_bytes = sizeof *norm->call->frame;
}

static void do_whole(VulkanNorm *norm)
{
    VulkanBinding out = vk_bind(&norm->call->out, true), none = {0};
    bool kept = norm->call->saved[0].buffer;
    VulkanDispatch dispatch = {.shader = VK_SHADER_NORM_WHOLE,
                               .bindings = {bind_x(norm), out,
                                            vk_norm_may_write(kept ? norm->stats : none, out),
                                            vk_norm_may_write(norm->vectors.binding, out)}};
    if (!kept)
        norm->push.mean = VK_NOTHING;
    set_varying(norm, &dispatch);
    vk_norm_rows(norm, dispatch, 1, norm->push.groups);
}

static void finish(VulkanNorm *norm)
{
    VulkanDispatch dispatch = {.shader = VK_SHADER_NORM_FINISH,
                               .bindings = {bind_x(norm), vk_bind(&norm->call->out, true),
                                            norm->parts, norm->vectors.binding}};
    set_varying(norm, &dispatch);
    vk_norm_rows(norm, dispatch, norm->push.pieces, norm->push.groups);
}

static void apply(VulkanNorm *norm)
{
    VulkanDispatch dispatch = {.shader = VK_SHADER_NORM_APPLY,
                               .bindings = {vk_bind(norm->x, false),
                                            vk_bind(&norm->call->out, true), norm->stats,
                                            norm->vectors.binding}};
    vk_norm_each(norm, dispatch);
}

static void forward(VulkanNorm *norm)
{
    norm->push.x = vk_place(norm->x);
    norm->push.to = vk_place(&norm->call->out);
    if (is_whole(norm->call)) {
        do_whole(norm);
    } else if (norm->call->op->norm.running || is_kept(norm)) {
        vk_norm_measure(norm);
        apply(norm);
    } else {
        measure_pieces(norm);
        finish(norm);
    }
}

void vk_norm_forward(PixDevice *device, const PixCall *call)
{
    VulkanNorm norm = vk_norm_of(device, call, 1);
    forward(&norm);
}

size_t vk_norm_scratch(const PixDevice *device, const PixCall *call)
{
    return is_whole(call) || call->op->norm.running ? 0 : vk_norm_bytes(call, 1);
}

const char *vk_norm_algorithm(const PixDevice *device, const PixCall *call)
{
    return call->op->norm.running ? "loop" : is_whole(call) ? "at once" : "in pieces";
}

/* ---- behind a convolution ---- */

/* @op: (out): of the norm's call, whose input is not set. */
static PixCall norm_behind(const PixCall *call, PixOp *op)
{
    PixCall norm = *call;
    *op = (PixOp){.kind = PIX_OP_NORM, .norm = call->op->conv.norm};
    op->norm.activation = call->op->conv.activation;
    norm.op = op;
    norm.in[0] = (PixTensor){.shape = call->out.shape, .c_whole = call->out.shape.c};
    return norm;
}

size_t vk_norm_sums_offset(const PixCall *call)
{
    PixOp op;
    PixCall norm = norm_behind(call, &op);
    return pix_conv_measures(&call->op->conv) ? vk_norm_scratch(NULL, &norm) : 0;
}

void vk_norm_sums(PixDevice *device, const PixCall *call, uint32_t splits)
{
    PixOp op;
    PixCall sums = norm_behind(call, &op);
    const PixDropoutOp *dropout = &call->op->conv.dropout;
    sums.in[0].buffer = call->scratch;
    sums.in[0].offset = vk_norm_sums_offset(call);
    VulkanNorm norm = vk_norm_of(device, &sums, 1);
    norm.push.splits = splits;
    if (dropout->rate > 0) {
        norm.push.layer = dropout->layer;
        norm.push.threshold = pix_rng_threshold(dropout->rate);
        norm.push.scale = 1 / (1 - dropout->rate);
    }
    forward(&norm);
}
