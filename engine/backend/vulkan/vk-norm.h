/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What norms and their tangents share. The arithmetic and its names are those of cpu/cpu-norm.h; the
 * sums are float32, of pieces of the pixels, added in an order that depends on shapes alone.
 */
#ifndef PIX_VK_NORM_H
#define PIX_VK_NORM_H

#include "vk-ops.h"

/** VulkanNormPush: that of shaders/norm.glsl, which says what is what. */
typedef struct {
    uint32_t groups, pixels, c;
    uint32_t pieces, piece;
    VulkanPlace x, v, to;
    uint32_t mean, rstd;
    uint32_t recalled;
    uint32_t gamma, beta, running_mean, running_variance;
    uint32_t dgamma, dbeta;
    float eps, share;
    uint32_t activation;
    float slope;
    uint32_t set;
    uint32_t factors;
    uint32_t adds;
    uint32_t splits;
    uint32_t plane, layer, threshold;
    float scale;
} VulkanNormPush;

/** VulkanNorm: one call, and its parts of the call's scratch memory. */
typedef struct {
    PixDevice *device;
    const PixCall *call;
    const PixTensor *x; /* what is normalised */
    VulkanNormPush push;
    VulkanVectors vectors; /* of param */
    VulkanBinding stats;   /* the call's saved tensors, running statistics, or scratch */
    VulkanBinding parts;   /* (sets, groups, pieces, c, 2): results of vk_norm_sum() */
    VulkanBinding factors; /* (sets, groups, c, 4): for vk_norm_blend() */
} VulkanNorm;

/** vk_norm_of: @sets: how many sums, and factors, there are at a time. */
VulkanNorm vk_norm_of(PixDevice *device, const PixCall *call, uint32_t sets);

/** vk_norm_bytes: Of scratch memory, for as many sets. */
size_t vk_norm_bytes(const PixCall *call, uint32_t sets);

/** vk_norm_rows: @dispatch with a workgroup for a few channels of each of @pieces of @groups. */
void vk_norm_rows(VulkanNorm *norm, VulkanDispatch dispatch, uint32_t pieces, uint32_t groups);

/** vk_norm_each: @dispatch with an invocation for each value of x. */
void vk_norm_each(VulkanNorm *norm, VulkanDispatch dispatch);

/** vk_norm_writes: The same bytes, to be written. */
static inline VulkanBinding vk_norm_writes(VulkanBinding binding)
{
    binding.writes = true;
    return binding;
}

/**
 * vk_norm_may_write: For what a shader writes on a condition. Where there is no such thing it gets
 * @other, which it writes anyway: validation would take what all dispatches share that have nothing
 * there for a race.
 */
static inline VulkanBinding vk_norm_may_write(VulkanBinding binding, VulkanBinding other)
{
    return binding.buffer ? vk_norm_writes(binding) : other;
}

/**
 * vk_norm_sums:
 * What a convolution ends with that has a norm by its own statistics, up to the dropout. @call: of the
 * convolution, in whose scratch memory, vk_norm_sums_offset() bytes from the start, its bare sums
 * lie: @splits dense maps that are to be added.
 */
void vk_norm_sums(PixDevice *device, const PixCall *call, uint32_t splits);
size_t vk_norm_sums_offset(const PixCall *call);

/** vk_norm_measure: Finds the statistics of x, if they are not the running ones, and keeps them. */
void vk_norm_measure(VulkanNorm *norm);

/** vk_norm_sum: Fills a set of parts: sums of @v, and of @v * xhat or of @v * @t. @t: (nullable). */
void vk_norm_sum(VulkanNorm *norm, uint32_t set, const PixTensor *v, const PixTensor *t);

/** vk_norm_factors: From parts to factors and dparam. @shader: which of the two that do. */
void vk_norm_factors(VulkanNorm *norm, VulkanShader shader);

/** vk_norm_blend: @to (+)= a blend of @v and x by a set of factors; @to may be @v. */
void vk_norm_blend(VulkanNorm *norm, uint32_t set, const PixTensor *v, const PixTensor *to,
                   bool adds);

#endif
