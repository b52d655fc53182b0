/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * How fast a GPU is with each of the tiles, measured when a model is first made on it in a precision
 * and kept in a file of core/cache-file.h.
 */
#ifndef PIX_VK_TUNE_H
#define PIX_VK_TUNE_H

#include "vk-device.h"
#include "vk-tiles.h"

/** VK_TUNE_KIND: of the file.  VK_TUNE_MOST_PS: the longest time in it. */
#define VK_TUNE_KIND "tiles"
#define VK_TUNE_MOST_PS ((uint64_t)1000000000000)

/**
 * vk_tune: The table's entry. Takes about a second at most, or as long as one shader compiles; what
 * is left is measured when the next process asks. Where that fails, the rule stays.
 */
void vk_tune(PixDevice *device, PixPrecision precision);

/** vk_tune_times: Returns: (nullable): those for maps of 16-bit floats or of 32. */
const VulkanTileTimes *vk_tune_times(const VulkanDevice *device, bool halves);

/**
 * vk_tune_measure: (in vk-trial.c) Fills in some of @times that are 0. Returns: whether nothing failed
 * and there is something new.
 */
bool vk_tune_measure(const VulkanGpu *gpu, PixDtype dtype, VulkanTileTimes *times);

/** vk_tune_identity: (transfer full): of the file. */
char *vk_tune_identity(const PixDevice *device, PixPrecision precision);
/** vk_tune_print: (transfer full): the file's contents: whole numbers with a space before each. */
char *vk_tune_print(const VulkanTileTimes *times);
/** vk_tune_parse: The way back. Returns: whether @text is just that. */
bool vk_tune_parse(const char *text, size_t length, VulkanTileTimes *times);

#endif
