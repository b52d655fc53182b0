/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-ops.h"

#define GROUPS_X 32768 /* below every device's limit */

VulkanVectors vk_vectors(const PixTensor param[PIX_SLOT_COUNT], bool writes)
{
    VulkanVectors vectors = {.binding = {.writes = writes}};
    size_t first = SIZE_MAX, end = 0;
    for (int slot = PIX_SLOT_BIAS; slot < PIX_SLOT_COUNT; slot++) {
        const PixTensor *t = &param[slot];
        if (!t->buffer)
            continue;
        g_assert(!vectors.binding.buffer || vectors.binding.buffer == t->buffer);
        vectors.binding.buffer = t->buffer;
        first = MIN(first, t->offset);
        end = MAX(end, t->offset + (size_t)t->c_whole * sizeof(float));
    }
    for (int slot = 0; slot < PIX_SLOT_COUNT; slot++) {
        const PixTensor *t = &param[slot];
        bool here = slot >= PIX_SLOT_BIAS && t->buffer;
        vectors.at[slot] =
            here ? (uint32_t)((t->offset - first) / sizeof(float)) + (uint32_t)t->c_first
                 : VK_NOTHING;
    }
    if (vectors.binding.buffer) {
        vectors.binding.offset = first;
        vectors.binding.bytes = end - first;
    }
    return vectors;
}

void vk_spread(VulkanDispatch *dispatch, size_t count)
{
    size_t groups = (count + VK_GROUP - 1) / VK_GROUP;
    dispatch->constants[0] = VK_GROUP;
    dispatch->constants[1] = dispatch->constants[2] = 1;
    dispatch->groups[0] = (uint32_t)MIN(groups, GROUPS_X);
    dispatch->groups[1] = (uint32_t)((groups + GROUPS_X - 1) / GROUPS_X);
    dispatch->groups[2] = 1;
}
