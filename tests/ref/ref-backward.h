/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The specification of the other direction: gradients of ref_forward() as direct loops in double.
 */
#ifndef REF_BACKWARD_H
#define REF_BACKWARD_H

#include "ref-ops.h"

/** RefGradients: all but @dout are overwritten; those that are NULL are not wanted. */
typedef struct {
    const double *dout;
    double *dx[PIX_MAX_INPUTS];
    double *dparam[PIX_SLOT_COUNT]; /* weights in PyTorch's order; MEAN and VARIANCE have none */
} RefGradients;

/** ref_backward: Of every op but CONV and DECONV, see ref-conv-backward.h. */
void ref_backward(const RefCall *call, const RefGradients *g);

#endif
