/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* AVX2 with dot products of int8 (AVX-VNNI). */
#include <immintrin.h>

#define LANES 8
#define ROWS 6
#define COLS 2
#define STREAM(to, x) _mm256_stream_ps((float *)(to), (__m256)(x))
#define DOT_INT8(sum, a, b)                                                                        \
    ((Vec)_mm256_dpbusd_avx_epi32((__m256i)(sum), (__m256i)(a), (__m256i)(b)))
#include "cpu-int8-simd.h"

const CpuMicro cpu_micro_avx2vnni = {
    .name = "avx2vnni",
    .algorithm_int8 = "int8-avx2vnni",
    .product_int8 = product_int8,
    .gain_int8 = 3.9,
};
