/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What the files of reduced precision share: weights as they are prepared, and how many of what. */
#ifndef PIX_CPU_REDUCED_WEIGHTS_H
#define PIX_CPU_REDUCED_WEIGHTS_H

#include "cpu-reduced.h"

/** CPU_INT8_LARGEST: -128 is not used. */
#define CPU_INT8_LARGEST 127
/** CPU_INT8_ZERO: What is added to the input's numbers, which have no sign then. */
#define CPU_INT8_ZERO 128

/** CpuReducedWeights: What is prepared, in this order. int8 alone has the first two: (columns), (phase,
 * run, column). */
typedef struct {
    float *scales;
    int32_t *zeros;
    float *units;
} CpuReducedWeights;

CpuReducedWeights cpu_reduced_weights(const CpuReduced *reduced, float *prepared);

/** cpu_reduced_units: In a pixel of the input. */
int cpu_reduced_units(const CpuReduced *reduced);

/** cpu_reduced_phases: As of cpu_phases(), in all.  cpu_reduced_taps: Returns: those of @phase.
 * @first: (out): those of the phases before it. */
int cpu_reduced_phases(const CpuReduced *reduced);
int cpu_reduced_taps(const CpuReduced *reduced, int phase, int *first);

#endif
