/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <immintrin.h>

#define LANES 8
#define ROWS 6
#define COLS 2
#define STREAM(to, x) _mm256_stream_ps((float *)(to), (__m256)(x))
#include "cpu-elements-simd.h"
#include "cpu-micro-simd.h"
#include "cpu-tile-simd.h"

const CpuMicro cpu_micro_avx2 = {
    .name = "avx2",
    .algorithm = "gemm-avx2",
    .product = product,
    .outer = outer,
    .transpose = cpu_transpose,
    .finish = finish,
    .sum = sum,
    .tile_in = tile_in,
    .tile_out = tile_out,
};
