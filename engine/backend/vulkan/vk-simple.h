/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** Ops on single elements: shaders/pointwise.comp. */
#ifndef PIX_VK_SIMPLE_H
#define PIX_VK_SIMPLE_H

#include "vk-ops.h"

/** VulkanPointwise: what is made of @a, or of @a and @b. */
typedef enum {
    VK_POINTWISE_ZERO,
    VK_POINTWISE_COPY,     /* a */
    VK_POINTWISE_ACTIVATE, /* f(a) */
    VK_POINTWISE_SUM,      /* a + b */
    VK_POINTWISE_SLOPE,    /* a * f'(x), where b = f(x) */
} VulkanPointwise;

/**
 * vk_pointwise:
 * @to = what, or @to += it. @a, @b: (nullable) of the shape of @to, and may be its very memory.
 */
void vk_pointwise(PixDevice *device, VulkanPointwise what, PixActivation f, const PixTensor *a,
                  const PixTensor *b, const PixTensor *to, bool adds);

/** vk_put: @to = @from, or @to += @from. Where both are the very same memory nothing needs doing. */
void vk_put(PixDevice *device, const PixTensor *from, const PixTensor *to, bool adds);

/** vk_clear: @to = 0. */
void vk_clear(PixDevice *device, const PixTensor *to);

#endif
