/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <immintrin.h>

/* As products of 16 bits, of the even numbers and of the odd ones. */
static inline __m256i dot_int8(__m256i sum, __m256i a, __m256i b)
{
    __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(b, 8), 8), odd = _mm256_srai_epi16(b, 8);
    even = _mm256_madd_epi16(_mm256_and_si256(a, _mm256_set1_epi16(0xff)), even);
    odd = _mm256_madd_epi16(_mm256_srli_epi16(a, 8), odd);
    return _mm256_add_epi32(sum, _mm256_add_epi32(even, odd));
}

#define LANES 8
#define ROWS 6
#define COLS 2
#define STREAM(to, x) _mm256_stream_ps((float *)(to), (__m256)(x))
#define DOT_INT8(sum, a, b) ((Vec)dot_int8((__m256i)(sum), (__m256i)(a), (__m256i)(b)))
#include "cpu-bf16-simd.h"
#include "cpu-elements-simd.h"
#include "cpu-int8-simd.h"
#include "cpu-load-simd.h"
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
    .multiply_add = multiply_add,
    .read_ints = read_ints,
    .tile_in = tile_in,
    .tile_out = tile_out,
    .tile_weights = tile_weights,
    .gain_bf16 = 0.5,
    .gain_int8 = 1.1,
    .read_cost = 12,
    .transform_cost = 3,
};
