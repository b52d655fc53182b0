/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The rows of the table: for each op, which shaders with which constants and how many groups. Maps
 * lie channels-last and weights as (kh, kw, c, oc), see shaders/tensor.glsl.
 */
#ifndef PIX_VK_OPS_H
#define PIX_VK_OPS_H

#include "vk-device.h"

/** VK_GROUP: invocations of a group of the simple shaders. */
#define VK_GROUP 128

/** VK_NOTHING: a place in the vectors that does not exist. */
#define VK_NOTHING 0xffffffffu

/** vk_bind: All of the tensor in which @tensor lies; nothing where it has no buffer. */
static inline VulkanBinding vk_bind(const PixTensor *tensor, bool writes)
{
    PixShape shape = tensor->shape;
    if (!tensor->buffer)
        return (VulkanBinding){0};
    shape.c = tensor->c_whole;
    size_t bytes = pix_dtype_bytes(tensor->dtype);
    return (VulkanBinding){.buffer = tensor->buffer,
                           .offset = tensor->offset,
                           .bytes = pix_shape_count(shape) * bytes,
                           .writes = writes,
                           .used = pix_shape_count(tensor->shape) * bytes,
                           .halves = tensor->dtype == PIX_DTYPE_F16};
}

/** VulkanPlace: where a map's channels lie in each pixel: Place of shaders/tensor.glsl. */
typedef struct {
    uint32_t pixel, first;
} VulkanPlace;

static inline VulkanPlace vk_place(const PixTensor *tensor)
{
    return (VulkanPlace){(uint32_t)tensor->c_whole, (uint32_t)tensor->c_first};
}

/** VulkanVectors: tensors of one dimension in one buffer, as one binding. */
typedef struct {
    VulkanBinding binding;
    uint32_t at[PIX_SLOT_COUNT]; /* where each begins, in floats; VK_NOTHING for none */
} VulkanVectors;

/** vk_vectors: Those of BIAS and behind among @param, whose buffers must be one. */
VulkanVectors vk_vectors(const PixTensor param[PIX_SLOT_COUNT], bool writes);

/** vk_spread: Sets the groups so that there are at least @count invocations. */
void vk_spread(VulkanDispatch *dispatch, size_t count);

/* vk-conv.c */
void vk_conv_forward(PixDevice *device, const PixCall *call);
size_t vk_conv_scratch(const PixDevice *device, const PixCall *call);
const char *vk_conv_algorithm(const PixDevice *device, const PixCall *call);

/* vk-conv-backward.c */
void vk_conv_backward(PixDevice *device, const PixCall *call);
size_t vk_conv_backward_scratch(const PixDevice *device, const PixCall *call);

/* vk-sum.c */

/**
 * vk_sum:
 * Runs a shader that sums @count terms with sum_terms.glsl, @each in an invocation, and has no
 * binding 3 yet. Its parts come behind @parts others, a multiple of 32. Returns: how many they are.
 */
size_t vk_sum(PixDevice *device, VulkanDispatch *dispatch, size_t count, size_t each, size_t parts);
/** vk_sum_end: Makes a figure of all @parts, over @divisor. */
void vk_sum_end(PixDevice *device, size_t parts, float divisor, PixRange figure);
/** vk_sum_floats: Makes a figure of the squares of @count floats from @first on in @range. */
void vk_sum_floats(PixDevice *device, PixRange range, size_t first, size_t count, PixRange figure);
/** vk_sum_room: VK_SUM_SAMPLES figures in between. */
PixRange vk_sum_room(PixDevice *device);
/** vk_bind_figures: @figures and those before, so that it can be bound. @first: (out): which it is. */
VulkanBinding vk_bind_figures(PixRange figures, bool writes, uint32_t *first);
void vk_sum_squares(PixDevice *device, PixRange range, PixRange figure);
bool vk_read_figures(PixDevice *device, PixRange figures, double *values, GError **error);

/* vk-penalty.c */
void vk_mix(PixDevice *device, const PixTensor *to, const PixTensor *from, const PixMaskKey *key);
void vk_penalty(PixDevice *device, const PixTensor *g, double weight, PixRange value);

/* vk-learn.c */
void vk_copy(PixDevice *device, const PixTensor *from, const PixTensor *to);
void vk_fill(PixDevice *device, PixRange range, float value);
void vk_approach(PixDevice *device, PixRange to, PixRange from, float share);
void vk_adam(PixDevice *device, const PixAdamCall *call);

/* vk-loss.c */
void vk_loss(PixDevice *device, const PixLossCall *call);

/* vk-pixels.c */
bool vk_write_image(PixDevice *device, const PixTensor *tensor, const PixVideo *video,
                    PixRect content, GError **error);
bool vk_read_image(PixDevice *device, const PixTensor *tensor, const PixVideo *video,
                   PixRect content, GError **error);
bool vk_takes(const PixDevice *device, const PixVideo *video, PixRect content);

/* vk-norm.c, vk-norm-backward.c, vk-tangent.c */
void vk_norm_forward(PixDevice *device, const PixCall *call);
void vk_norm_backward(PixDevice *device, const PixCall *call);
size_t vk_norm_scratch(const PixDevice *device, const PixCall *call);
size_t vk_norm_backward_scratch(const PixDevice *device, const PixCall *call);
const char *vk_norm_algorithm(const PixDevice *device, const PixCall *call);
void vk_norm_tangent_forward(PixDevice *device, const PixCall *call);
void vk_norm_tangent_backward(PixDevice *device, const PixCall *call);
size_t vk_norm_tangent_scratch(const PixDevice *device, const PixCall *call);
size_t vk_norm_tangent_backward_scratch(const PixDevice *device, const PixCall *call);

/* vk-simple.c, vk-resize.c */
void vk_activation_forward(PixDevice *device, const PixCall *call);
void vk_activation_backward(PixDevice *device, const PixCall *call);
void vk_activation_tangent_forward(PixDevice *device, const PixCall *call);
void vk_activation_tangent_backward(PixDevice *device, const PixCall *call);
void vk_add_forward(PixDevice *device, const PixCall *call);
void vk_add_backward(PixDevice *device, const PixCall *call);
void vk_concat_forward(PixDevice *device, const PixCall *call);
void vk_concat_backward(PixDevice *device, const PixCall *call);
void vk_dropout_forward(PixDevice *device, const PixCall *call);
void vk_dropout_backward(PixDevice *device, const PixCall *call);
void vk_pad_forward(PixDevice *device, const PixCall *call);
void vk_pad_backward(PixDevice *device, const PixCall *call);
void vk_upsample_forward(PixDevice *device, const PixCall *call);
void vk_upsample_backward(PixDevice *device, const PixCall *call);

/* vk-peak.c */

/**
 * vk_time_of:
 * @clock_ms: (nullable): NULL: the device's, where it has one.
 * Returns: milliseconds of what @ask asks for; negative: failed.
 */
double vk_time_of(PixDevice *device, void (*ask)(PixDevice *device, void *data), void *data,
                  double (*clock_ms)(void), GError **error);
bool vk_measure(PixDevice *device, PixPeak *peak, GError **error);

/* vk-move.c */
size_t vk_activation_bytes(const PixDevice *device, PixShape shape, PixDtype dtype);
size_t vk_weight_bytes(const PixDevice *device, const PixOp *op, const int dims[4], PixDtype dtype);
bool vk_write(PixDevice *device, const PixTensor *tensor, const float *values, GError **error);
bool vk_read(PixDevice *device, const PixTensor *tensor, float *values, GError **error);
bool vk_write_weight(PixDevice *device, const PixTensor *tensor, const PixOp *op, const int dims[4],
                     const float *values, GError **error);
bool vk_read_weight(PixDevice *device, const PixTensor *tensor, const PixOp *op, const int dims[4],
                    float *values, GError **error);

#endif
