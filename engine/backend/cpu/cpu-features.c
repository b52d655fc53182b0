/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu-features.h"

#ifdef __x86_64__
#include <cpuid.h>
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* Of leaf 7; not all compilers know their names. In EDX: tiles' bf16, tiles, their int8. */
#define AMX_BITS (1u << 22 | 1u << 24 | 1u << 25)
/* In EAX of its second part. */
#define BF16_BIT (1u << 5)

/* Linux: asm/prctl.h; ARCH_REQ_XCOMP_PERM of the tiles' data. Granted once for the process. */
static bool may_use_tiles(void)
{
#ifdef __linux__
    return syscall(SYS_arch_prctl, 0x1023, 18) == 0;
#else
    return false;
#endif
}

static CpuFeatures if_has(CpuFeatures feature, bool has)
{
    return has ? feature : 0;
}

CpuFeatures cpu_features(void)
{
    unsigned a = 0, b, c, d = 0, unused;
    __get_cpuid_count(7, 0, &unused, &b, &c, &d);
    __get_cpuid_count(7, 1, &a, &b, &c, &unused);
    return if_has(CPU_AVX2, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) |
           if_has(CPU_AVX512,
                  __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) |
           if_has(CPU_AVX512_VNNI, __builtin_cpu_supports("avx512vnni")) |
           if_has(CPU_AVX512_BF16, a & BF16_BIT) |
           if_has(CPU_AMX, (d & AMX_BITS) == AMX_BITS && may_use_tiles());
}
#else
CpuFeatures cpu_features(void)
{
    return 0;
}
#endif
