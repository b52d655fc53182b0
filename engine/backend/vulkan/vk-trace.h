/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Work that is asked for once, and then mostly again: a training step asks for the same dispatches as
 * the one before. What was recorded is kept; work that is asked for in the same order is compared
 * with it instead of being recorded, and the recording is submitted again. So that no submission
 * takes long, work is submitted in pieces; nobody waits for one of them but for the last.
 */
#ifndef PIX_VK_TRACE_H
#define PIX_VK_TRACE_H

#include "vk-work.h"

/** VulkanTraceCounts: what has happened so far. */
typedef struct {
    uint64_t recordings, submissions, waits;
} VulkanTraceCounts;

/** VulkanTraces: Thread-safety: one thread at a time. */
typedef struct VulkanTraces VulkanTraces;

VulkanTraces *vk_traces_new(VulkanGpu *gpu);
void vk_traces_free(VulkanTraces *traces); /* accepts NULL */

/**
 * vk_traces_add: To be done soon. Where it cannot be, or needs what could not be, it spoils the
 * buffers that it would have written, and nothing else; so does all of a submission that fails.
 */
void vk_traces_add(VulkanTraces *traces, const VulkanWork *work);
/** vk_traces_submit: The device has all of it when this returns, but for what failed. */
void vk_traces_submit(VulkanTraces *traces);
/** vk_traces_flush: Returns when all is done, but for what failed. Errors: DEVICE_LOST alone. */
bool vk_traces_flush(VulkanTraces *traces, GError **error);
/** vk_traces_forget: After a flush: what has to do with @buffer, which is about to go. */
void vk_traces_forget(VulkanTraces *traces, const PixBuffer *buffer);
VulkanTraceCounts vk_traces_count(const VulkanTraces *traces);

#endif
