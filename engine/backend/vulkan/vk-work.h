/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** One piece of work for a GPU, and what its failure means for the buffers that it names. */
#ifndef PIX_VK_WORK_H
#define PIX_VK_WORK_H

#include "vk-commands.h"

/** VulkanWork: something to be done. */
typedef struct {
    enum { VK_WORK_DISPATCH, VK_WORK_COPY, VK_WORK_FILL } kind;
    VulkanDispatch dispatch;
    VulkanBinding from, to; /* COPY, FILL (to) */
    uint32_t word;          /* FILL: of each four bytes */
} VulkanWork;

/** vk_work_same: Whether @a is @b, without what varies. What they push lies at @a_push and @b_push. */
bool vk_work_same(const VulkanWork *a, const void *a_push, const VulkanWork *b, const void *b_push);
/** vk_work_has: Whether it has to do with @buffer. */
bool vk_work_has(const VulkanWork *work, const PixBuffer *buffer);

/** vk_work_record: Into @commands. */
void vk_work_record(PixCommands *commands, const VulkanWork *work);

/** vk_work_check: Errors: what spoiled a buffer that it may read. */
bool vk_work_check(VulkanGpu *gpu, const VulkanWork *work, GError **error);
/** vk_work_mend: It will be done: what it overwrites without having read it is spoiled no more. */
void vk_work_mend(VulkanGpu *gpu, const VulkanWork *work);
/** vk_work_spoil: It will not be done, because of @error: spoils what it would have written. */
void vk_work_spoil(VulkanGpu *gpu, const VulkanWork *work, const GError *error);
/** vk_work_set_waiting: Whether it has been asked for and not been submitted. */
void vk_work_set_waiting(const VulkanWork *work, bool waiting);

#endif
