/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The specification of the gradients of CONV and DECONV: direct loops in double, NCHW, weights in
 * PyTorch's order. Nothing ships from here.
 */
#ifndef REF_CONV_BACKWARD_H
#define REF_CONV_BACKWARD_H

#include "ref-ops.h"

/** RefConvGradients: all overwritten. @bias: (oc). */
typedef struct {
    double *x, *weight, *bias;
} RefConvGradients;

/**
 * ref_conv_backward:
 * @y: what ref_forward() gives for @call.  @dy: the gradient of a loss in y.
 */
void ref_conv_backward(const RefCall *call, const double *y, const double *dy,
                       const RefConvGradients *gradients);

#endif
