/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-marks.h"

#include "vk-loader.h"

#define MOST 1024

static bool make_pool(VulkanMarks *marks, VulkanGpu *gpu, VkCommandBuffer buffer)
{
    const VkQueryPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                        .queryType = VK_QUERY_TYPE_TIMESTAMP,
                                        .queryCount = MOST};
    if (vk_loader_timestamp_bits(gpu->physical, gpu->family) == 0 ||
        !VK_MAKE(gpu, vkCreateQueryPool, &info, &marks->pool, NULL))
        return false;
    gpu->vk.vkCmdResetQueryPool(buffer, marks->pool, 0, MOST);
    return true;
}

bool vk_marks_add(VulkanMarks *marks, VulkanGpu *gpu, VkCommandBuffer buffer)
{
    if (marks->n == MOST || (!marks->pool && !make_pool(marks, gpu, buffer)))
        return false;
    gpu->vk.vkCmdWriteTimestamp(buffer, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, marks->pool,
                                marks->n++);
    return true;
}

bool vk_marks_read(const VulkanMarks *marks, VulkanGpu *gpu, double *ms, uint32_t n)
{
    uint32_t bits = vk_loader_timestamp_bits(gpu->physical, gpu->family);
    uint64_t mask = bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX, ticks[MOST];
    if (n + 1 > marks->n ||
        gpu->vk.vkGetQueryPoolResults(gpu->device, marks->pool, 0, n + 1, sizeof ticks, ticks,
                                      sizeof *ticks, VK_QUERY_RESULT_64_BIT) != VK_SUCCESS)
        return false;
    for (uint32_t i = 0; i < n; i++)
        ms[i] = (double)((ticks[i + 1] - ticks[i]) & mask) *
                (double)gpu->properties.limits.timestampPeriod * 1e-6;
    return true;
}

void vk_marks_clear(VulkanMarks *marks, VulkanGpu *gpu)
{
    gpu->vk.vkDestroyQueryPool(gpu->device, marks->pool, NULL);
    *marks = (VulkanMarks){VK_NULL_HANDLE};
}
