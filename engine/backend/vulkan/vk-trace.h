/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Work that is asked for once, and then mostly again: a training step asks for the same dispatches as
 * the one before. What was recorded is kept; work that is asked for in the same order is compared
 * with it instead of being recorded, and the recording is submitted again. So that no submission
 * takes long, work is submitted in pieces; nobody waits for one of them but for the last.
 */
#ifndef PIX_VK_TRACE_H
#define PIX_VK_TRACE_H

#include "vk-commands.h"

/** VulkanWork: something to be done. */
typedef struct {
    enum { VK_WORK_DISPATCH, VK_WORK_COPY, VK_WORK_FILL } kind;
    VulkanDispatch dispatch;
    VulkanBinding from, to; /* COPY, FILL (to) */
    uint32_t word;          /* FILL: of each four bytes */
} VulkanWork;

/** VulkanTraceCounts: what has happened so far. */
typedef struct {
    uint64_t recordings, submissions, waits;
} VulkanTraceCounts;

/** VulkanTraces: Thread-safety: one thread at a time. */
typedef struct VulkanTraces VulkanTraces;

VulkanTraces *vk_traces_new(VulkanGpu *gpu);
void vk_traces_free(VulkanTraces *traces); /* accepts NULL */

/** vk_traces_add: To be done soon; an error is told by the next flush. */
void vk_traces_add(VulkanTraces *traces, const VulkanWork *work);
/**
 * vk_traces_flush:
 * Returns when all is done. @error: (nullable): of any work since it was last told; where nobody
 * listens, it is kept, and nothing is done until somebody does.
 */
bool vk_traces_flush(VulkanTraces *traces, GError **error);
/** vk_traces_fail: @error: (transfer full): is told by the next flush. */
void vk_traces_fail(VulkanTraces *traces, GError *error);
/** vk_traces_forget: After a flush: what has to do with @buffer, which is about to go. */
void vk_traces_forget(VulkanTraces *traces, const PixBuffer *buffer);
VulkanTraceCounts vk_traces_count(const VulkanTraces *traces);

/** vk_work_record: Into @commands. */
void vk_work_record(PixCommands *commands, const VulkanWork *work);

#endif
