/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu-features.h"

#include <glib.h>

#ifdef __x86_64__
#include <cpuid.h>
#include <stdint.h>
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* Of leaf 7; not all compilers know their names. In EDX: tiles' bf16, tiles, their int8. */
#define AMX_BITS (1u << 22 | 1u << 24 | 1u << 25)
/* In EAX of its second part. */
#define AVX_VNNI_BIT (1u << 4)
#define AVX512_BF16_BIT (1u << 5)

/* Linux: asm/prctl.h: ARCH_GET_XCOMP_SUPP, ARCH_REQ_XCOMP_PERM, and the tiles' data. */
#define GET_SUPPORTED 0x1021
#define REQUEST_PERMISSION 0x1023
#define TILE_DATA 18

static bool saves_tiles(void)
{
    uint64_t states = 0;
#ifdef __linux__
    if (syscall(SYS_arch_prctl, GET_SUPPORTED, &states) != 0)
        return false;
#endif
    return states >> TILE_DATA & 1;
}

static bool request_tiles(void)
{
#ifdef __linux__
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
#else
    return false;
#endif
}

bool cpu_may_use_tiles(void)
{
    enum { UNKNOWN, YES, NO };
    static gsize answer = UNKNOWN;
    if (g_once_init_enter(&answer))
        g_once_init_leave(&answer, request_tiles() ? YES : NO);
    return answer == YES;
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
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return if_has(CPU_AVX2, avx2) | if_has(CPU_AVX_VNNI, avx2 && a & AVX_VNNI_BIT) |
           if_has(CPU_AVX512,
                  __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) |
           if_has(CPU_AVX512_VNNI, __builtin_cpu_supports("avx512vnni")) |
           if_has(CPU_AVX512_BF16, a & AVX512_BF16_BIT) |
           if_has(CPU_AMX, (d & AMX_BITS) == AMX_BITS && saves_tiles()) |
           if_has(CPU_AMD, __builtin_cpu_is("amd"));
}
#else
CpuFeatures cpu_features(void)
{
    return 0;
}

bool cpu_may_use_tiles(void)
{
    return false;
}
#endif
