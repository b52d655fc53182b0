/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Moments of a recording, as the device's own clock tells them.
 */
#ifndef PIX_VK_MARKS_H
#define PIX_VK_MARKS_H

#include "vk-gpu.h"

/** VulkanMarks: of one recording; zeros have none. */
typedef struct {
    VkQueryPool pool; /* made by the first mark */
    uint32_t n;
} VulkanMarks;

/**
 * vk_marks_add: Records a mark: all before it is done. Returns: whether it could; a device without a
 * clock, or one mark too many, cannot.
 */
bool vk_marks_add(VulkanMarks *marks, VulkanGpu *gpu, VkCommandBuffer buffer);

/**
 * vk_marks_read:
 * @ms: (out): milliseconds between each two of the first @n + 1 marks of a submission that is done.
 * Returns: whether there are so many.
 */
bool vk_marks_read(const VulkanMarks *marks, VulkanGpu *gpu, double *ms, uint32_t n);

void vk_marks_clear(VulkanMarks *marks, VulkanGpu *gpu);

#endif
