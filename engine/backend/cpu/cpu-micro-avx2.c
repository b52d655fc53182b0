/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <immintrin.h>

#define LANES 8
#define ROWS 6
#define COLS 2
#define STREAM(to, x) _mm256_stream_ps((float *)(to), (__m256)(x))
#include "cpu-bf16-simd.h"
#include "cpu-elements-simd.h"
#include "cpu-int8-simd.h"
#include "cpu-product-simd.h"
#include "cpu-tile-simd.h"

const CpuMicro cpu_micro_avx2 = {
    .name = "avx2",
    .algorithm = "gemm-avx2",
    .algorithm_bf16 = "bf16-avx2",
    .algorithm_int8 = "int8-avx2",
    .product = product,
    .product_bf16 = product_bf16,
    .product_int8 = product_int8,
    .outer = outer,
    .finish = finish,
    .sum = sum,
    .largest = largest,
    .to_bf16 = to_bf16,
    .to_int8 = to_int8,
    .tile_in = tile_in,
    .tile_out = tile_out,
    .tile_weights = tile_weights,
};
