/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-shaders.h"

#include <glib.h>

#include "vk-shader-words.h"

#define VK_SHADER_ENTRY(upper, lower)                                                              \
    [VK_SHADER_##upper] = {pix_shader_##lower, sizeof pix_shader_##lower, #lower},

static const VulkanSpirv modules[] = {VK_SHADER_LIST(VK_SHADER_ENTRY)};

#define VK_SHADER_PAIR(upper, half) [VK_SHADER_##upper] = VK_SHADER_##half,

/* 0, which is no variant, where there is none. */
static const VulkanShader halves[VK_SHADER_COUNT] = {VK_SHADER_HALVES(VK_SHADER_PAIR)};

VulkanSpirv vk_shader_spirv(VulkanShader shader)
{
    return modules[shader];
}

VulkanShader vk_shader_half(VulkanShader shader)
{
    g_assert(halves[shader] != 0);
    return halves[shader];
}
