/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What norms and their tangents share. With xhat = (x - mean) * rstd per group and channel, where
 * rstd = 1 / sqrt(variance + eps), all of them are one linear map of some v,
 *
 *   P(v) = gamma * rstd * (v - mean(v) - xhat * mean(xhat * v)),
 *
 * which is its own transpose: a norm's gradient is P(dy), its tangent P(t), and that one's gradient
 * to t P(dout). With running statistics P(v) = gamma * rstd * v.
 *
 * Every sum is one of products of two maps. All are taken in double, piece by piece of the pixels,
 * and the pieces added in order: their cut depends on shapes alone.
 */
#ifndef PIX_CPU_NORM_H
#define PIX_CPU_NORM_H

#include "cpu-private.h"

/** CpuNorm: one call, and its parts of the call's scratch memory. */
typedef struct {
    PixDevice *device;
    const PixCall *call;
    int groups, pixels, c; /* one group for BATCH, a sample each for INSTANCE; pixels of a group */
    int pieces;            /* in which the pixels of a group are summed */
    float *mean, *rstd;    /* (groups, c), as the next: the call's saved tensors, or scratch */
    float *factor[4];      /* of cpu_norm_blend() */
    CpuSum *sums[3];       /* results of cpu_norm_sum() */
    CpuSum *parts;         /* (groups, pieces, c) */
} CpuNorm;

CpuNorm cpu_norm_of(PixDevice *device, const PixCall *call);

/** cpu_norm_scratch: The bytes that any row of norms and tangents wants, in any direction. */
size_t cpu_norm_scratch(const PixDevice *device, const PixCall *call);

/**
 * cpu_norm_sum:
 * @sums: (groups, c): sums of @v and of @v * @x.  @prepare: (nullable): is run on pixels, counted
 * over all groups, before they are read for the first time.
 */
void cpu_norm_sum(const CpuNorm *norm, CpuView v, CpuView x, CpuSum *sums, CpuPixels prepare,
                  const void *data);

/**
 * cpu_norm_measure:
 * Fills mean and rstd from @x, and moves the running statistics if the op says so; or takes the
 * running statistics.
 */
void cpu_norm_measure(const CpuNorm *norm, CpuView x);

/**
 * cpu_norm_apply: The forward row, of one group whose statistics have been summed: @parts as
 * CpuConv.parts, @n_parts of them; 0: of any number of groups, which it sums.
 */
void cpu_norm_apply(PixDevice *device, const PixCall *call, const double *parts, int n_parts);

/** cpu_norm_recall: For a backward row: mean and rstd are what measure() saved, or the running ones. */
void cpu_norm_recall(const CpuNorm *norm);

/** cpu_norm_hat: The sum of v * xhat. @i: group * c + channel. */
double cpu_norm_hat(const CpuNorm *norm, const CpuSum *sums, int i);

/** CpuBlend: out (+)= v * factor[0] + (x - mean) * factor[1] + factor[2], + t * factor[3] if @t. */
typedef struct {
    CpuView v, x, out; /* out may be v */
    const CpuView *t;  /* (nullable) */
    bool adds;
} CpuBlend;

void cpu_norm_blend(const CpuNorm *norm, const CpuBlend *blend);

/** cpu_norm_project: @blend's out (+)= P(v). @sums: of v and v * x. */
void cpu_norm_project(const CpuNorm *norm, const CpuBlend *blend, const CpuSum *sums);

/** cpu_norm_put_param: The gradient of @slot: of a channel the sum over groups of @of(norm, i). */
void cpu_norm_put_param(const CpuNorm *norm, PixSlot slot, double (*of)(const CpuNorm *, int));

/** cpu_norm_gamma: gamma of @channel; 1 where there is none. */
static inline float cpu_norm_gamma(const CpuNorm *norm, int channel)
{
    const float *gamma = cpu_vector(&norm->call->param[PIX_SLOT_GAMMA]);
    return gamma ? gamma[channel] : 1;
}

#endif
