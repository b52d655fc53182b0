/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of GPUs with Vulkan. */
#include "vk-ops.h"

const PixBackend pix_backend_vulkan = {
    .name = "vulkan",
    .open = vk_device_open,
    .close = vk_device_close,
    .alignment = VK_ALIGNMENT,
    .activation_bytes = vk_activation_bytes,
    .weight_bytes = vk_weight_bytes,
    .buffer_new = vk_device_buffer_new,
    .buffer_free = vk_device_buffer_free,
    .write = vk_write,
    .read = vk_read,
    .write_weight = vk_write_weight,
    .read_weight = vk_read_weight,
    .write_image = vk_write_image,
    .read_image = vk_read_image,
    .copy = vk_copy,
    .fill = vk_fill,
    .sum_squares = vk_sum_squares,
    .approach = vk_approach,
    .adam = vk_adam,
    .loss = vk_loss,
    .record = vk_device_record,
    .finish = vk_device_finish,
    .submit = vk_device_submit,
    .wait = vk_device_wait,
    .commands_free = vk_device_commands_free,
    .rows =
        {
            [PIX_OP_CONV] = {.forward = vk_conv_forward,
                             .scratch_bytes = vk_conv_scratch,
                             .algorithm = vk_conv_algorithm},
            [PIX_OP_DECONV] = {.forward = vk_conv_forward,
                               .scratch_bytes = vk_conv_scratch,
                               .algorithm = vk_conv_algorithm},
        },
};
