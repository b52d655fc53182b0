/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The specification: every op as direct loops in double, NCHW, with no cleverness. Nothing ships
 * from here. Definitions are PyTorch's, see core/op.h.
 */
#ifndef REF_OPS_H
#define REF_OPS_H

#include "backend.h"

/** RefCall: one op on arrays; arrays that an op does not have are NULL. */
typedef struct {
    const PixOp *op;
    PixShape shape[PIX_MAX_INPUTS]; /* of the inputs */
    const double *x[PIX_MAX_INPUTS];
    const double *param[PIX_SLOT_COUNT]; /* weights in PyTorch's order */
    PixFrame frame;
} RefCall;

/** RefGroup: of a norm: values with common statistics, and those, of the batch or running. */
typedef struct {
    int n, c, count; /* the first sample, the channel; how many values */
    double mean, variance, rstd, gamma, beta;
} RefGroup;

/** ref_norm_groups: Groups of each channel: 1, or one for each sample. */
int ref_norm_groups(const RefCall *call);

/** ref_norm_group: @index: group * c + channel. */
RefGroup ref_norm_group(const RefCall *call, int index);

/** ref_norm_at: Where value @i of a group lies. */
size_t ref_norm_at(const RefCall *call, const RefGroup *group, int i);

/** ref_slope: f'(x) from y = f(x). */
double ref_slope(PixActivation f, double y);

/** ref_forward: @y: of the shape that pix_op_infer() gives. */
void ref_forward(const RefCall *call, double *y);

#endif
