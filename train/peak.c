/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "peak.h"

#include <glib.h>
#include <string.h>

#define CHAINS 12 /* a multiply-add takes 4 cycles on 2 units: 8 chains would do, 12 are safe */
#define STEPS 20000

/* Operations done by one call of such a loop. */
typedef double (*PeakLoop)(float *sink);

/* GCC contracts a * b + c to one instruction where the target has it. @attributes: of the function.
 */
#define DEFINE_PEAK_LOOP(name, lanes, attributes)                                                  \
    attributes static double name(float *sink)                                                     \
    {                                                                                              \
        typedef float Vector __attribute__((vector_size((lanes) * sizeof(float))));                \
        Vector sum[CHAINS], a = {0}, b = {0};                                                      \
                                                                                                   \
        a += sink[0];                                                                              \
        b += sink[1];                                                                              \
        for (int i = 0; i < CHAINS; i++)                                                           \
            sum[i] = b * (float)i;                                                                 \
        for (int step = 0; step < STEPS; step++) {                                                 \
            _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) sum[i] = sum[i] * a + b;     \
        }                                                                                          \
        for (int i = 0; i < CHAINS; i++)                                                           \
            sink[2] += sum[i][0];                                                                  \
        return 2.0 * (lanes)*CHAINS * STEPS;                                                       \
    }

DEFINE_PEAK_LOOP(loop_plain, 4, )
#if defined(__x86_64__)
DEFINE_PEAK_LOOP(loop_avx2, 8, __attribute__((target("avx2,fma"))))
DEFINE_PEAK_LOOP(loop_avx512, 16, __attribute__((target("avx512f"))))
#endif

static PeakLoop find_loop(const char *level)
{
#if defined(__x86_64__)
    if (!strcmp(level, "avx512"))
        return loop_avx512;
    if (!strcmp(level, "avx2"))
        return loop_avx2;
#endif
    return loop_plain;
}

const char *peak_choose_level(const char *level)
{
#if defined(__x86_64__)
    if (g_strcmp0(level, "avx2") && __builtin_cpu_supports("avx512f"))
        return "avx512";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return "avx2";
#endif
    return "c";
}

/* @level: a name.  Returns: its highest rate, in a new double: other work disturbs, so the best of
 * many short runs counts. */
static gpointer measure(gpointer level)
{
    PeakLoop loop = find_loop(level);
    float sink[3] = {0.999f, 0.001f, 0};
    double *best = g_new0(double, 1);
    gint64 end = g_get_monotonic_time() + 100000;

    for (gint64 before = g_get_monotonic_time(), now; before < end; before = now) {
        double operations = 0;
        for (int i = 0; i < 32; i++)
            operations += loop(sink);
        now = g_get_monotonic_time();
        *best = MAX(*best, operations / 1e3 / MAX(1, now - before));
    }
    return best;
}

double peak_measure_gflops(unsigned threads, const char *level)
{
    g_autofree GThread **others = g_new0(GThread *, threads);
    double sum = 0;

    for (unsigned i = 1; i < threads; i++)
        others[i] = g_thread_new("peak", measure, (gpointer)level);
    for (unsigned i = 0; i < threads; i++) {
        g_autofree double *best = i ? NULL : measure((gpointer)level);
        if (i)
            best = g_thread_join(others[i]);
        sum += *best;
    }
    return sum;
}
