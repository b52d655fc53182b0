/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* AVX-512 with dot products of int8 (AVX512_VNNI). */
#include <immintrin.h>

#define LANES 16
#define ROWS 14
#define COLS 2
#define STREAM(to, x) _mm512_stream_ps((float *)(to), (__m512)(x))
#define DOT_INT8(sum, a, b) ((Vec)_mm512_dpbusd_epi32((__m512i)(sum), (__m512i)(a), (__m512i)(b)))
#include "cpu-int8-simd.h"

const CpuMicro cpu_micro_avx512vnni = {
    .name = "avx512vnni",
    .algorithm_int8 = "int8-avx512vnni",
    .product_int8 = product_int8,
    .gain_int8 = 3.9,
};
