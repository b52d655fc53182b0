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
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

static bool has_avx512dot(void)
{
    return has_avx512() && __builtin_cpu_supports("avx512vnni") &&
           __builtin_cpu_supports("avx512bf16");
}

static bool has_amx(void)
{
    return has_avx512dot() && cpu_amx_allowed();
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
    {&cpu_micro_avx512dot, has_avx512dot},
    {&cpu_micro_amx, has_amx},
#endif
#ifdef HAVE_CPU_NEON
    {&cpu_micro_neon, always},
#endif
};

static const char *const names[] = {"c", "openblas", "avx2", "avx512", "avx512dot", "amx", "neon"};

static bool is_name(const char *level)
{
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_ascii_strcasecmp(level, names[i]) == 0)
            return true;
    return false;
}

#define TAKE(member) to->member = from->member ? from->member : to->member

static void take(CpuMicro *to, const CpuMicro *from)
{
    TAKE(name);
    TAKE(algorithm);
    TAKE(algorithm_bf16);
    TAKE(algorithm_int8);
    TAKE(product);
    TAKE(product_bf16);
    TAKE(product_int8);
    TAKE(outer);
    TAKE(transpose);
    TAKE(finish);
    TAKE(sum);
    TAKE(largest);
    TAKE(to_bf16);
    TAKE(to_int8);
    TAKE(tile_in);
    TAKE(tile_out);
    TAKE(tile_weights);
}

bool cpu_micro_select(const char *level, CpuMicro *micro, GError **error)
{
    if (level && !*level)
        level = NULL;
    if (level && !is_name(level))
        return pix_fail(
            error, PIX_ERROR_NO_DEVICE,
            "PIX2PIX_CPU is \"%s\"; it can be c, openblas, avx2, avx512, avx512dot, amx "
            "or neon",
            level);
    *micro = cpu_micro_c;
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
        if (levels[i].usable())
            take(micro, levels[i].micro);
        if (level && g_ascii_strcasecmp(level, levels[i].micro->name) == 0)
            break;
    }
    return true;
}
