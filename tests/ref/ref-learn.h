/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The specification of losses and of Adam, in double and in PyTorch's terms.
 */
#ifndef REF_LEARN_H
#define REF_LEARN_H

#include "backend.h"

/**
 * ref_loss:
 * The mean over @count elements.  @target: as many.  @dx: (nullable): overwritten with @weight times
 * the gradient.
 */
double ref_loss(PixLossKind kind, const double *x, const double *target, size_t count,
                double weight, double *dx);

/** RefAdam: torch.optim.Adam without weight decay and amsgrad. */
typedef struct {
    double lr, beta1, beta2, eps;
} RefAdam;

/** ref_adam: Step @t, which starts at 1. */
void ref_adam(const RefAdam *adam, int t, size_t count, const double *gradients, double *weights,
              double *m, double *v);

#endif
