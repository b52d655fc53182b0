/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** The loads by which cpu-peak.c finds out what the CPU can do at most. */
#ifndef PIX_CPU_LOAD_H
#define PIX_CPU_LOAD_H

#include <stddef.h>
#include <stdint.h>

/** CPU_CHAINS: of multiply-adds. One takes 4 cycles on 2 units: 8 would do, 12 are safe. */
#define CPU_CHAINS 12
/** CPU_STEPS: multiply-adds in a chain. */
#define CPU_STEPS 20000
/** CPU_READ: int32 at a time. */
#define CPU_READ 128
/** CPU_AHEAD: int32 that are asked for early: processors fetch too few by themselves. */
#define CPU_AHEAD 256

/**
 * cpu_multiply_add:
 * Chains of x = x * a + b, the i-th from b * i on.  @last: (out): the sum of what they end with.
 * Returns: multiply-adds that were made: as many chains as there are lanes do the same.
 */
double cpu_multiply_add(float a, float b, float *last);

/** cpu_read_ints: Returns: the exclusive or of @count int32, a multiple of CPU_READ. */
int32_t cpu_read_ints(const int32_t *from, size_t count);

#endif
