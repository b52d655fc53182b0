/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What cpu-load.h has, in registers, for the files that include cpu-micro-simd.h. */
#ifndef PIX_CPU_LOAD_SIMD_H
#define PIX_CPU_LOAD_SIMD_H

#include "cpu-load.h"
#include "cpu-micro-simd.h"

static double multiply_add(float a, float b, float *last)
{
    Register chains[CPU_CHAINS];
    for (int i = 0; i < CPU_CHAINS; i++)
        chains[i] = b * (float)i + (Register){0};
    for (int step = 0; step < CPU_STEPS; step++) {
        UNROLL
        for (int i = 0; i < CPU_CHAINS; i++)
            chains[i] = chains[i] * a + b;
    }
    *last = 0;
    for (int i = 0; i < CPU_CHAINS; i++)
        *last += chains[i][0];
    return (double)LANES * CPU_CHAINS * CPU_STEPS;
}

#define READS 8 /* registers at a time */

static int32_t read_ints(const int32_t *from, size_t count)
{
    IntVec all[READS] = {{0}};
    int32_t result = 0;
    for (size_t at = 0; at < count; at += READS * LANES) {
        UNROLL
        for (int i = 0; i < READS; i++) {
            __builtin_prefetch(from + at + CPU_AHEAD + i * LANES);
            all[i] ^= *(const IntVec *)(from + at + i * LANES);
        }
    }
    for (int i = 0; i < READS * LANES; i++)
        result ^= all[i / LANES][i % LANES];
    return result;
}

#endif
