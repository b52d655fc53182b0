/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Whether a model computes what PyTorch computed.
 */
#ifndef FORWARD_CHECK_H
#define FORWARD_CHECK_H

#include <pix2pix/pix.h>

/**
 * forward_check:
 * Fails the test where the outputs in the file @io differ by more than 5e-5 of their largest value, in
 * fp16 by more than 1e-2: `y_batch` with the statistics of the batch and, if the model has them, `y_eval` with running
 * ones; dropout off. Where `x` is smaller than the network takes, its pixels are repeated; outputs
 * may hold only every n-th row.
 */
void forward_check(PixModel *model, const char *io);

#endif
