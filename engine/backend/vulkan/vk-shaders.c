/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-shaders.h"

#include "vk-shader-words.h"

#define VK_SHADER_ENTRY(upper, lower)                                                              \
    [VK_SHADER_##upper] = {pix_shader_##lower, sizeof pix_shader_##lower, #lower},

static const VulkanSpirv modules[] = {VK_SHADER_LIST(VK_SHADER_ENTRY)};

VulkanSpirv vk_shader_spirv(VulkanShader shader)
{
    return modules[shader];
}
