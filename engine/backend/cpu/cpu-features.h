/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What instructions the processor has and the system saves the registers of. */
#ifndef PIX_CPU_FEATURES_H
#define PIX_CPU_FEATURES_H

#include <stdbool.h>

/** CpuFeatures: Bits. AVX2 has FMA beside it, AVX512 its F and BW, AMX tiles, bf16 and int8. AMD is who
 * made the processor. */
typedef enum {
    CPU_AVX2 = 1 << 0,
    CPU_AVX_VNNI = 1 << 1,
    CPU_AVX512 = 1 << 2,
    CPU_AVX512_VNNI = 1 << 3,
    CPU_AVX512_BF16 = 1 << 4,
    CPU_AMX = 1 << 5,
    CPU_AMD = 1 << 6,
} CpuFeatures;

CpuFeatures cpu_features(void);

/**
 * cpu_may_use_tiles:
 * Asks the system, when it is called first, to let the process use the registers of AMX; says what the
 * answer was. The process has them for good then, and its signals need larger stacks: more than the
 * 8 KiB that SIGSTKSZ has been; where a thread has a smaller one, the answer is no.
 * Source: Linux, Documentation/arch/x86/xstate.rst.
 */
bool cpu_may_use_tiles(void);

#endif
