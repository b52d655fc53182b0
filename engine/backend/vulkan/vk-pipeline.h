/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * From a shader and its constants to a pipeline, made once for each GPU.
 */
#ifndef PIX_VK_PIPELINE_H
#define PIX_VK_PIPELINE_H

#include "vk-gpu.h"
#include "vk-shaders.h"

/** VK_CONSTANTS: specialisation constants that a shader may have. */
#define VK_CONSTANTS 16
/** VK_PUSH_BYTES: push constants; no device has less room. */
#define VK_PUSH_BYTES 128

/** vk_pipelines_init: The layouts and the empty table. Errors: NO_MEMORY. Undone by _clear(). */
bool vk_pipelines_init(VulkanGpu *gpu, GError **error);
void vk_pipelines_clear(VulkanGpu *gpu);

/**
 * vk_pipeline_get:
 * @constants: values for the ids 0 .. @n - 1.  Errors: UNSUPPORTED, NO_MEMORY.
 */
VkPipeline vk_pipeline_get(VulkanGpu *gpu, VulkanShader shader, const uint32_t *constants, int n,
                           GError **error);

#endif
