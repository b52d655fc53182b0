/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu-micro.h"

#include "cpu-features.h"
#include "error.h"

#define AVX512_VNNI (CPU_AVX512 | CPU_AVX512_VNNI)
#define AVX512_DOT (AVX512_VNNI | CPU_AVX512_BF16)

#define LEVEL(level, in_build, needs)                                                              \
    {                                                                                              \
        in_build ? &cpu_micro_##level : NULL, #level, needs                                        \
    }

/* From low to high; some CPUs lack one in the middle. @micro: NULL where the build has none. */
static const struct {
    const CpuMicro *micro;
    const char *name;
    unsigned needs; /* CpuFeatures */
} levels[] = {
    LEVEL(c, true, 0),
    LEVEL(openblas, HAVE_OPENBLAS, 0),
    LEVEL(avx2, HAVE_CPU_AVX2, CPU_AVX2),
    LEVEL(avx2vnni, HAVE_CPU_AVX2VNNI, CPU_AVX2 | CPU_AVX_VNNI),
    LEVEL(avx512, HAVE_CPU_AVX512, CPU_AVX512),
    LEVEL(avx512vnni, HAVE_CPU_AVX512VNNI, AVX512_VNNI),
    LEVEL(avx512dot, HAVE_CPU_AVX512DOT, AVX512_DOT),
    LEVEL(amx, HAVE_CPU_AMX, AVX512_DOT | CPU_AMX),
    LEVEL(neon, HAVE_CPU_NEON, 0),
};

#define N_LEVELS ((int)G_N_ELEMENTS(levels))

/* -1: none. */
static int index_of(const char *name)
{
    int i = N_LEVELS - 1;
    while (i >= 0 && g_ascii_strcasecmp(levels[i].name, name) != 0)
        i--;
    return i;
}

static bool fail_unknown(const char *name, GError **error)
{
    GString *names = g_string_new(levels[0].name);
    for (int i = 1; i < N_LEVELS; i++)
        g_string_append_printf(names, ", %s", levels[i].name);
    pix_fail(error, PIX_ERROR_NO_DEVICE, "PIX2PIX_CPU is \"%s\"; it can be one of %s", name,
             names->str);
    g_string_free(names, TRUE);
    return false;
}

#define TAKE(member) to->member = from->member ? from->member : to->member

static void take(CpuMicro *to, const CpuMicro *from, bool amd)
{
    TAKE(name);
    TAKE(algorithm);
    TAKE(algorithm_bf16);
    TAKE(algorithm_int8);
    TAKE(product);
    TAKE(product_bf16);
    TAKE(product_int8);
    TAKE(tiles);
    TAKE(outer);
    TAKE(transpose);
    TAKE(finish);
    TAKE(sum);
    TAKE(largest);
    TAKE(to_bf16);
    TAKE(to_int8);
    TAKE(multiply_add);
    TAKE(read_ints);
    TAKE(tile_in);
    TAKE(tile_out);
    TAKE(tile_weights);
    TAKE(gain_bf16);
    TAKE(gain_int8);
    TAKE(read_cost);
    TAKE(transform_cost);
    if (amd && from->gain_bf16_amd > 0)
        to->gain_bf16 = from->gain_bf16_amd;
}

bool cpu_micro_select(const char *level, CpuMicro *micro, GError **error)
{
    const unsigned features = cpu_features();
    int last = level && *level ? index_of(level) : N_LEVELS - 1;
    if (last < 0)
        return fail_unknown(level, error);
    *micro = cpu_micro_c;
    for (int i = 0; i <= last; i++)
        if (levels[i].micro && (features & levels[i].needs) == levels[i].needs)
            take(micro, levels[i].micro, features & CPU_AMD);
    return true;
}
