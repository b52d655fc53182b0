/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu-micro.h"

#include "error.h"

static bool always(void)
{
    return true;
}

#ifdef HAVE_CPU_AVX
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f");
}
#endif

/* From low to high. */
static const struct {
    const CpuMicro *micro;
    bool (*usable)(void);
} levels[] = {
    {&cpu_micro_c, always},
#ifdef HAVE_OPENBLAS
    {&cpu_micro_openblas, always},
#endif
#ifdef HAVE_CPU_AVX
    {&cpu_micro_avx2, has_avx2},
    {&cpu_micro_avx512, has_avx512},
#endif
#ifdef HAVE_CPU_NEON
    {&cpu_micro_neon, always},
#endif
};

static const char *const names[] = {"c", "openblas", "avx2", "avx512", "neon"};

static bool is_name(const char *level)
{
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_ascii_strcasecmp(level, names[i]) == 0)
            return true;
    return false;
}

const CpuMicro *cpu_micro_select(const char *level, GError **error)
{
    if (level && !*level)
        level = NULL;
    if (level && !is_name(level)) {
        pix_fail(error, PIX_ERROR_NO_DEVICE,
                 "PIX2PIX_CPU is \"%s\"; it can be c, openblas, avx2, avx512 or neon", level);
        return NULL;
    }
    const CpuMicro *best = &cpu_micro_c;
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
        if (levels[i].usable())
            best = levels[i].micro;
        if (level && g_ascii_strcasecmp(level, levels[i].micro->name) == 0)
            break;
    }
    return best;
}
