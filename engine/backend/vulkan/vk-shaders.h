/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** The compiled shaders of shaders/, by name. */
#ifndef PIX_VK_SHADERS_H
#define PIX_VK_SHADERS_H

#include <stddef.h>
#include <stdint.h>

/* VK_SHADER_LIST(X): X(CONV_TILED, conv_tiled) and so on, from the lists in shaders/meson.build.
 * VK_SHADER_HALVES(X): X(CONV_TILED, CONV_TILED_HALF) and so on, the second being the variant of the
 * first for halves. */
#include "vk-shader-list.h"

#define VK_SHADER_VALUE(upper, lower) VK_SHADER_##upper,
typedef enum { VK_SHADER_LIST(VK_SHADER_VALUE) VK_SHADER_COUNT } VulkanShader;
#undef VK_SHADER_VALUE

/** VulkanSpirv: one module. */
typedef struct {
    const uint32_t *words;
    size_t bytes;
    const char *name;
} VulkanSpirv;

VulkanSpirv vk_shader_spirv(VulkanShader shader);

/** vk_shader_half: The same for maps and weights of 16-bit floats, which there must be. */
VulkanShader vk_shader_half(VulkanShader shader);

#endif
