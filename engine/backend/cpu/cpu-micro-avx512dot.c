/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* AVX-512 with dot products of bf16 (AVX512_BF16) and of int8 (AVX512_VNNI). */
#include <immintrin.h>

#define LANES 16
#define ROWS 14
#define COLS 2
#define STREAM(to, x) _mm512_stream_ps((float *)(to), (__m512)(x))
#define DOT_BF16(sum, a, b) ((Vec)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(a), (__m512bh)(b)))
#define DOT_INT8(sum, a, b) ((Vec)_mm512_dpbusd_epi32((__m512i)(sum), (__m512i)(a), (__m512i)(b)))
#include "cpu-dot-simd.h"

const CpuMicro cpu_micro_avx512dot = {
    .name = "avx512dot",
    .algorithm_bf16 = "bf16-avx512",
    .algorithm_int8 = "int8-avx512",
    .product_bf16 = product_bf16,
    .product_int8 = product_int8,
};
