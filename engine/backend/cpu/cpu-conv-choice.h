/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** How a convolution is done: directly, by minimal filtering, or in reduced precision. */
#ifndef PIX_CPU_CONV_CHOICE_H
#define PIX_CPU_CONV_CHOICE_H

#include "cpu-reduced.h"
#include "cpu-winograd.h"

typedef enum { CPU_DIRECT, CPU_WINOGRAD, CPU_REDUCED } CpuWay;

/** CpuChoice: all that is decided before data are there. Depends on the call's shapes, the CPU's level
 * and the pool's threads. */
typedef struct {
    CpuWay way;
    bool prepares; /* makes weights ready each time, in scratch memory before that of the workers */
    int n_parts; /* of the statistics, which the convolution sums while it stores; 0: it does not */
    CpuConv conv;
    CpuWinograd winograd; /* of conv, where its cost is not endless */
    CpuReduced reduced;   /* of conv, where that is the way */
    double reduced_cost;  /* the same: estimated, in that of a direct one */
} CpuChoice;

/** cpu_choose: @call: of CONV or DECONV. */
CpuChoice cpu_choose(const PixDevice *device, const PixCall *call);

/** cpu_choice_weight_floats: Weights as they are made ready; 0: they are ready. */
size_t cpu_choice_weight_floats(const CpuChoice *choice);

/** cpu_choice_prepare: Makes the weights ready. @to: of cpu_choice_weight_floats() floats. */
void cpu_choice_prepare(const PixDevice *device, const CpuChoice *choice, float *to);

/**
 * cpu_choice_run:
 * @conv: choice->conv with its data.  @prepared: weights, where the choice does not prepare them each
 * time.  @scratch: of cpu_choice_run_floats() floats.
 */
void cpu_choice_run(const PixDevice *device, const CpuChoice *choice, const CpuConv *conv,
                    const float *prepared, float *scratch);
size_t cpu_choice_run_floats(const PixDevice *device, const CpuChoice *choice);

#endif
