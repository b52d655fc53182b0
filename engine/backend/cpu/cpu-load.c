/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* For CPUs of no level, and the specification of cpu-load-simd.h. */
#include "cpu-load.h"

#include "cpu-compiler.h"

#define LANES 4

typedef float Four __attribute__((vector_size(LANES * 4)));

double cpu_multiply_add(float a, float b, float *last)
{
    Four chains[CPU_CHAINS];
    for (int i = 0; i < CPU_CHAINS; i++)
        chains[i] = b * (float)i + (Four){0};
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

int32_t cpu_read_ints(const int32_t *from, size_t count)
{
    int32_t all = 0;
    for (size_t i = 0; i < count; i++)
        all ^= from[i];
    return all;
}
