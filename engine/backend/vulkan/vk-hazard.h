/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Where a sequence of dispatches needs barriers: before one that touches what an earlier one since
 * the last barrier has written, or writes what an earlier one has read. Knows buffers by address and
 * bytes only.
 */
#ifndef PIX_VK_HAZARD_H
#define PIX_VK_HAZARD_H

#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

/** VulkanAccess: what a dispatch does with some bytes of a buffer. */
typedef struct {
    const void *buffer;
    size_t offset, bytes;
    bool writes; /* else it only reads */
} VulkanAccess;

/** VulkanHazards: what has been touched since the last barrier. */
typedef struct {
    GArray *accesses; /* of VulkanAccess */
} VulkanHazards;

void vk_hazards_init(VulkanHazards *hazards);
void vk_hazards_clear(VulkanHazards *hazards);

/** vk_hazards_forget: There is a barrier, or nothing has happened yet. */
void vk_hazards_forget(VulkanHazards *hazards);

/**
 * vk_hazards_add:
 * Takes note of all accesses of one dispatch, which may alias each other. Returns: whether a barrier
 * has to come before it; then everything before has been forgotten.
 */
bool vk_hazards_add(VulkanHazards *hazards, const VulkanAccess *accesses, size_t n);

#endif
