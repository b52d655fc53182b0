/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <immintrin.h>

#define LANES 16
#define ROWS 14
#define COLS 2
#define STREAM(to, x) _mm512_stream_ps((float *)(to), (__m512)(x))
#include "cpu-micro-simd.h"

const CpuMicro cpu_micro_avx512 = {
    .name = "avx512", .algorithm = "gemm-avx512", .product = product, .outer = outer};
