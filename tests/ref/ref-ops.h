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

/** ref_forward: @y: of the shape that pix_op_infer() gives. */
void ref_forward(const RefCall *call, double *y);

#endif
