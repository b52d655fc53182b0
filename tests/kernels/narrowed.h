/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** The specification of products in reduced precision: those of rounded numbers. */
#ifndef NARROWED_H
#define NARROWED_H

#include "backend.h"
#include "ref-ops.h"

/** narrowed_op: @op with products in @precision, where it has any. */
PixOp narrowed_op(const PixOp *op, PixPrecision precision);

/**
 * narrow_reference: Rounds input and weights of @ref, which are this file's to change, to what is
 * multiplied in @precision: bf16 to nearest even, int8 to multiples of 1/127 of the largest value of a
 * sample, or of an output channel's weights; FP32 leaves them as they are.
 */
void narrow_reference(const PixCall *call, PixPrecision precision, const RefCall *ref);

#endif
