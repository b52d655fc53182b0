/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * One case of the table, run once on a device. Outputs start as NaN, lie between other channels and
 * between other tensors, and must leave those alone.
 */
#ifndef KERNEL_RUN_H
#define KERNEL_RUN_H

#include "fenced.h"
#include "kernel-cases.h"
#include "ref-ops.h"

/** KernelWay: @fixed: parameters are prepared once.  @precision: of a convolution's products; AUTO
 * leaves it as it is. */
typedef struct {
    PixFormat format;
    PixPrecision precision;
    bool in_place, fixed;
} KernelWay;

/** KernelRun: after kernel_run_begin() @ref holds the numbers that @call was given. */
typedef struct {
    PixDevice *device;
    const KernelCase *kernel_case;
    PixOp op;
    PixFrame frame;
    PixCall call;
    RefCall ref;
    size_t count; /* of outputs */
    void *choice;
    Fenced in[PIX_MAX_INPUTS], params[PIX_SLOT_COUNT], out, scratch, prepared;
} KernelRun;

/** kernel_run_begin: Fills @run, which must not be moved, and runs the case. */
void kernel_run_begin(KernelRun *run, PixDevice *device, const KernelCase *kernel_case,
                      KernelWay way);

/** kernel_run_output: Returns: (transfer full): run->count floats. */
float *kernel_run_output(const KernelRun *run);

/** kernel_run_precision: Of a convolution's products, as the device says. */
PixPrecision kernel_run_precision(const KernelRun *run);

/** kernel_run_end: Fails the test where something was written that is not the run's. */
void kernel_run_end(KernelRun *run);

#endif
