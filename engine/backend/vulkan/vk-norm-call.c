/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-norm.h"

/* Channels of a workgroup: their floats fill what a GPU fetches at a time. */
#define LANES 16
/* The most pieces of a group, and the fewest pixels that are worth one. */
#define PIECES 256
#define PIECE_PIXELS 256

static uint32_t ceil_div(uint32_t a, uint32_t b)
{
    return (a + b - 1) / b;
}

static uint32_t lanes_of(uint32_t c)
{
    uint32_t lanes = 1;
    while (lanes < MIN(c, LANES))
        lanes *= 2;
    return lanes;
}

/* ---- what is to be done ---- */

static VulkanNormPush push_of(const PixCall *call)
{
    const PixNormOp *o = &call->op->norm;
    PixShape s = call->in[0].shape;
    VulkanNormPush push = {.c = (uint32_t)s.c,
                           .eps = o->eps,
                           .activation = o->activation.kind,
                           .slope = o->activation.slope,
                           .plane = (uint32_t)s.h * (uint32_t)s.w};
    push.groups = o->kind == PIX_NORM_INSTANCE ? (uint32_t)s.n : 1;
    push.pixels = (uint32_t)s.n * (uint32_t)s.h * (uint32_t)s.w / push.groups;
    push.piece = ceil_div(push.pixels, MIN(ceil_div(push.pixels, PIECE_PIXELS), PIECES));
    push.pieces = ceil_div(push.pixels, push.piece);
    return push;
}

static void set_vectors(VulkanNorm *norm)
{
    const PixNormOp *o = &norm->call->op->norm;
    norm->vectors = vk_vectors(norm->call->param, false);
    const uint32_t *at = norm->vectors.at;
    bool follows = o->kind == PIX_NORM_BATCH && !o->running && o->momentum > 0 &&
                   at[PIX_SLOT_MEAN] != VK_NOTHING && at[PIX_SLOT_VARIANCE] != VK_NOTHING;
    norm->push.gamma = at[PIX_SLOT_GAMMA];
    norm->push.beta = at[PIX_SLOT_BETA];
    norm->push.running_mean = follows ? at[PIX_SLOT_MEAN] : VK_NOTHING;
    norm->push.running_variance = follows ? at[PIX_SLOT_VARIANCE] : VK_NOTHING;
    norm->push.share = o->momentum;
}

static VulkanBinding span_of(const PixTensor saved[2])
{
    g_assert(saved[0].buffer == saved[1].buffer);
    size_t first = MIN(saved[0].offset, saved[1].offset);
    size_t last = MAX(saved[0].offset, saved[1].offset);
    return (VulkanBinding){saved[0].buffer, first,
                           last - first + pix_shape_count(saved[0].shape) * sizeof(float), false};
}

/* @scratch: a place where they may lie if the call has none for them. */
static void set_stats(VulkanNorm *norm, VulkanBinding scratch)
{
    const PixTensor *saved = norm->call->saved;
    if (norm->call->op->norm.running) {
        norm->stats = norm->vectors.binding;
        norm->push.mean = norm->vectors.at[PIX_SLOT_MEAN];
        norm->push.rstd = norm->vectors.at[PIX_SLOT_VARIANCE];
        norm->push.recalled = 1;
    } else if (saved[0].buffer) {
        norm->stats = span_of(saved);
        norm->push.mean = (uint32_t)((saved[0].offset - norm->stats.offset) / sizeof(float));
        norm->push.rstd = (uint32_t)((saved[1].offset - norm->stats.offset) / sizeof(float));
    } else {
        norm->stats = scratch;
        norm->push.rstd = norm->push.groups * norm->push.c;
    }
}

static VulkanBinding take(PixBuffer *buffer, size_t *offset, size_t floats)
{
    VulkanBinding binding = {buffer, *offset, floats * sizeof(float), false};
    *offset += (binding.bytes + VK_ALIGNMENT - 1) / VK_ALIGNMENT * VK_ALIGNMENT;
    return binding;
}

VulkanNorm vk_norm_of(PixDevice *device, const PixCall *call, uint32_t sets)
{
    VulkanNorm norm = {.device = device, .call = call, .push = push_of(call)};
    size_t offset = 0, count = (size_t)norm.push.groups * norm.push.c;
    norm.x = &call->in[call->op->kind == PIX_OP_NORM_TANGENT ? 1 : 0];
    norm.parts = take(call->scratch, &offset, sets * count * norm.push.pieces * 2);
    norm.push.factors = (uint32_t)(offset / sizeof(float));
    norm.factors = take(call->scratch, &offset, sets * count * 4);
    set_vectors(&norm);
    set_stats(&norm, take(call->scratch, &offset, count * 2));
    return norm;
}

size_t vk_norm_bytes(const PixCall *call, uint32_t sets)
{
    VulkanNormPush push = push_of(call);
    size_t offset = 0, count = (size_t)push.groups * push.c;
    take(NULL, &offset, sets * count * push.pieces * 2);
    take(NULL, &offset, sets * count * 4);
    take(NULL, &offset, count * 2);
    return offset;
}

/* ---- doing it ---- */

void vk_norm_rows(VulkanNorm *norm, VulkanDispatch dispatch, uint32_t pieces, uint32_t groups)
{
    uint32_t lanes = lanes_of(norm->push.c);
    dispatch.constants[0] = lanes;
    dispatch.constants[1] = VK_GROUP / lanes;
    dispatch.constants[2] = 1;
    dispatch.groups[0] = ceil_div(norm->push.c, lanes);
    dispatch.groups[1] = pieces;
    dispatch.groups[2] = groups;
    dispatch.n_constants = 3;
    dispatch.push = &norm->push;
    dispatch.push_bytes = sizeof norm->push;
    vk_dispatch(norm->device, &dispatch);
}

void vk_norm_each(VulkanNorm *norm, VulkanDispatch dispatch)
{
    vk_spread(&dispatch, (size_t)norm->push.groups * norm->push.pixels * norm->push.c);
    dispatch.n_constants = 3;
    dispatch.push = &norm->push;
    dispatch.push_bytes = sizeof norm->push;
    vk_dispatch(norm->device, &dispatch);
}
