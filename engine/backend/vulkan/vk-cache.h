/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Compiled pipelines from one run of a program to the next, in pix2pix/ of the user's cache folder.
 * One file for each GPU, driver, build of the shaders and kind of processor: what another one wrote
 * never reaches the driver, nor does a file that is not whole. Without a folder to write to there is no
 * cache, and that is no error.
 */
#ifndef PIX_VK_CACHE_H
#define PIX_VK_CACHE_H

#include "vk-gpu.h"

/** vk_cache_open: Returns: one to make pipelines with, from the file if that is good. */
VkPipelineCache vk_cache_open(VulkanGpu *gpu);
/** vk_cache_close: Writes the file anew, if there is more to be kept. Accepts VK_NULL_HANDLE. */
void vk_cache_close(VulkanGpu *gpu, VkPipelineCache cache);

#endif
