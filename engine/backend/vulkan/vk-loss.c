/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Losses. */
#include "vk-ops.h"

/* Elements that one invocation takes: maps of discriminators are small. */
#define EACH 8

/** Push: that of shaders/loss.comp. */
typedef struct {
    uint32_t count, c;
    VulkanPlace x, target, dx;
    uint32_t each;
    uint32_t has_target;
    uint32_t has_dx, adds;
    float label, scale;
} Push;

enum { KIND = 10, N_CONSTANTS };

static Push push_of(const PixLossCall *call, size_t count)
{
    return (Push){.count = (uint32_t)count,
                  .c = (uint32_t)call->x.shape.c,
                  .x = vk_place(&call->x),
                  .target = vk_place(&call->target),
                  .dx = vk_place(&call->dx),
                  .each = (uint32_t)MAX(EACH, count / (VK_GROUP * (VK_SUM_PARTS - 1)) + 1),
                  .has_target = call->target.buffer != NULL,
                  .has_dx = call->dx.buffer != NULL,
                  .adds = call->dx_adds,
                  .label = call->label,
                  .scale = (float)((double)call->weight / (double)count)};
}

void vk_loss(PixDevice *device, const PixLossCall *call)
{
    size_t count = pix_shape_count(call->x.shape);
    const Push push = push_of(call, count);
    VulkanDispatch dispatch = {.shader = VK_SHADER_LOSS,
                               .constants = {[KIND] = call->kind},
                               .n_constants = N_CONSTANTS,
                               .bindings = {vk_bind(&call->x, false), vk_bind(&call->target, false),
                                            vk_bind(&call->dx, true)},
                               .push = &push,
                               .push_bytes = sizeof push};
    vk_device_hold(device);
    size_t parts = vk_sum(device, &dispatch, count, push.each, 0);
    vk_sum_end(device, parts, (float)count, call->value);
    vk_device_release(device);
}
