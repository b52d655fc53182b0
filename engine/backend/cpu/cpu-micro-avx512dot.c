/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* AVX-512 with dot products of bf16 (AVX512_BF16), beside those of int8. */
#include <immintrin.h>

#define LANES 16
#define ROWS 14
#define COLS 2
#define STREAM(to, x) _mm512_stream_ps((float *)(to), (__m512)(x))
#define DOT_BF16(sum, a, b) ((Vec)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(a), (__m512bh)(b)))
#include "cpu-bf16-simd.h"

const CpuMicro cpu_micro_avx512dot = {
    .name = "avx512dot",
    .algorithm_bf16 = "bf16-avx512dot",
    .product_bf16 = product_bf16,
    .gain_bf16 = 0.5,
    .gain_bf16_amd = 1.8, /* one takes as long as a multiply-add */
};
