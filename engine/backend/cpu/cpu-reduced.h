/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Convolutions whose products are made in reduced precision: those of cpu-conv.h on units, which hold
 * two numbers of bf16 or four of int8, neighbours among the channels. The input is narrowed as a
 * whole, into scratch memory; the weights once, when they are prepared.
 *
 * int8 is symmetric: weights are integers of at most 127 times a scale for each output channel, the
 * input times one for each sample, by which its largest value becomes 127. Sums are exact.
 */
#ifndef PIX_CPU_REDUCED_H
#define PIX_CPU_REDUCED_H

#include "cpu-conv.h"

/** CpuReduced: how one is done so. */
typedef struct {
    CpuConv of; /* in floats */
    bool ints;  /* int8, else bf16 */
    int per;    /* numbers in a unit */
    int runs;   /* of CPU_KC units, of the longest phase */
    const char *name;
    CpuProduct product;
    double gain; /* of the product: see CpuMicro */
} CpuReduced;

/**
 * cpu_reduced_of: Returns: whether conv->op asks for it, its channels fill units, and sums cannot leave
 * int32.  @reduced: (out).  Asks the system for the registers of AMX where these would be used, and
 * takes the products of the level below where it says no.
 */
bool cpu_reduced_of(const PixDevice *device, const CpuConv *conv, CpuReduced *reduced);

/** cpu_reduced_prepare: @to: cpu_reduced_prepared_floats() floats. */
void cpu_reduced_prepare(const PixDevice *device, const CpuReduced *reduced, float *to);
size_t cpu_reduced_prepared_floats(const CpuReduced *reduced);

/** cpu_reduced_run: As cpu_conv_run(). */
void cpu_reduced_run(const PixDevice *device, const CpuReduced *reduced, const float *prepared,
                     float *scratch);
/** cpu_reduced_parts: As cpu_conv_parts(). */
int cpu_reduced_parts(const PixDevice *device, const CpuReduced *reduced);
size_t cpu_reduced_run_floats(const PixDevice *device, const CpuReduced *reduced);

#endif
