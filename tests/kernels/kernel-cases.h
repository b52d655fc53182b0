/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** The table of shapes and settings with which every op is compared with tests/ref. */
#ifndef KERNEL_CASES_H
#define KERNEL_CASES_H

#include "op.h"

typedef struct {
    const char *name;
    PixOp op;
    PixShape in[PIX_MAX_INPUTS];
    unsigned slots; /* bits of PixSlot that exist */
    float range;    /* of the inputs; 0 is 1 */
    double nmse;    /* 0 is NMSE */
    bool breaks;    /* some inputs are not finite */
} KernelCase;

#define BIT(slot) (1u << (slot))
#define WEIGHT BIT(PIX_SLOT_WEIGHT)
#define BIAS BIT(PIX_SLOT_BIAS)
#define AFFINE (BIT(PIX_SLOT_GAMMA) | BIT(PIX_SLOT_BETA))
#define RUNNING (BIT(PIX_SLOT_MEAN) | BIT(PIX_SLOT_VARIANCE))

extern const KernelCase kernel_cases[];
extern const size_t n_kernel_cases;

#endif
