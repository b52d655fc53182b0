/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Batch and instance norm: statistics first, then y = f((x - mean) * rstd * gamma + beta). */
#include "vk-norm.h"

/* The most pixels of a group that one workgroup for each few channels both measures and normalises. */
#define WHOLE_PIXELS 1024

static bool is_whole(const PixCall *call)
{
    PixShape s = call->in[0].shape;
    int samples = call->op->norm.kind == PIX_NORM_INSTANCE ? 1 : s.n;
    return !call->op->norm.running && (size_t)samples * s.h * s.w <= WHOLE_PIXELS;
}

void vk_norm_measure(VulkanNorm *norm)
{
    if (norm->call->op->norm.running)
        return;
    norm->push.x = vk_place(norm->x);
    VulkanBinding stats = vk_norm_writes(norm->stats);
    VulkanDispatch measure = {.shader = VK_SHADER_NORM_MEASURE,
                              .bindings = {vk_bind(norm->x, false), vk_norm_writes(norm->parts)}};
    VulkanDispatch merge = {
        .shader = VK_SHADER_NORM_MERGE,
        .bindings = {norm->parts, {0}, stats, vk_norm_may_write(norm->vectors.binding, stats)}};
    vk_norm_rows(norm, measure, norm->push.pieces, norm->push.groups);
    vk_norm_rows(norm, merge, 1, norm->push.groups);
}

static void do_whole(VulkanNorm *norm)
{
    VulkanBinding out = vk_bind(&norm->call->out, true), none = {0};
    bool kept = norm->call->saved[0].buffer;
    VulkanDispatch dispatch = {.shader = VK_SHADER_NORM_WHOLE,
                               .bindings = {vk_bind(norm->x, false), out,
                                            vk_norm_may_write(kept ? norm->stats : none, out),
                                            vk_norm_may_write(norm->vectors.binding, out)}};
    if (!kept)
        norm->push.mean = VK_NOTHING;
    vk_norm_rows(norm, dispatch, 1, norm->push.groups);
}

static void apply(VulkanNorm *norm)
{
    VulkanDispatch dispatch = {.shader = VK_SHADER_NORM_APPLY,
                               .bindings = {vk_bind(norm->x, false),
                                            vk_bind(&norm->call->out, true), norm->stats,
                                            norm->vectors.binding}};
    vk_norm_each(norm, dispatch);
}

void vk_norm_forward(PixDevice *device, const PixCall *call)
{
    VulkanNorm norm = vk_norm_of(device, call, 1);
    norm.push.x = vk_place(norm.x);
    norm.push.to = vk_place(&call->out);
    if (is_whole(call)) {
        do_whole(&norm);
    } else {
        vk_norm_measure(&norm);
        apply(&norm);
    }
}

size_t vk_norm_scratch(const PixDevice *device, const PixCall *call)
{
    return is_whole(call) || call->op->norm.running ? 0 : vk_norm_bytes(call, 1);
}

const char *vk_norm_algorithm(const PixDevice *device, const PixCall *call)
{
    return call->op->norm.running ? "loop" : is_whole(call) ? "at once" : "in pieces";
}
