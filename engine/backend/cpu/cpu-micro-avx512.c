/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <immintrin.h>

/* As products of 16 bits, of the even numbers and of the odd ones. */
static inline __m512i dot_int8(__m512i sum, __m512i a, __m512i b)
{
    __m512i even = _mm512_srai_epi16(_mm512_slli_epi16(b, 8), 8), odd = _mm512_srai_epi16(b, 8);
    even = _mm512_madd_epi16(_mm512_and_si512(a, _mm512_set1_epi16(0xff)), even);
    odd = _mm512_madd_epi16(_mm512_srli_epi16(a, 8), odd);
    return _mm512_add_epi32(sum, _mm512_add_epi32(even, odd));
}

#define LANES 16
#define ROWS 14
#define COLS 2
#define STREAM(to, x) _mm512_stream_ps((float *)(to), (__m512)(x))
#define DOT_INT8(sum, a, b) ((Vec)dot_int8((__m512i)(sum), (__m512i)(a), (__m512i)(b)))
#include "cpu-bf16-simd.h"
#include "cpu-elements-simd.h"
#include "cpu-int8-simd.h"
#include "cpu-load-simd.h"
#include "cpu-product-simd.h"
#include "cpu-tile-simd.h"

/* Exchanges the off-diagonal blocks of @d by @d in all blocks of 2d by 2d. */
INLINE void exchange(__m512 *rows, int d)
{
    int first[LANES], second[LANES];
    for (int j = 0; j < LANES; j++) {
        first[j] = j & d ? LANES + j - d : j;
        second[j] = j & d ? LANES + j : j + d;
    }
    const __m512i f = _mm512_loadu_si512(first), s = _mm512_loadu_si512(second);
    UNROLL
    for (int i = 0; i < LANES; i++)
        if (!(i & d)) {
            __m512 a = rows[i], b = rows[i + d];
            rows[i] = _mm512_permutex2var_ps(a, f, b);
            rows[i + d] = _mm512_permutex2var_ps(a, s, b);
        }
}

static void transpose(int rows, int columns, const float *from, ptrdiff_t from_pitch, float *to,
                      ptrdiff_t to_pitch)
{
    if (rows % LANES || columns % LANES) {
        cpu_transpose(rows, columns, from, from_pitch, to, to_pitch);
        return;
    }
    for (int j = 0; j < columns; j += LANES)
        for (int i = 0; i < rows; i += LANES) {
            __m512 block[LANES];
            UNROLL
            for (int l = 0; l < LANES; l++)
                block[l] = _mm512_loadu_ps(from + (i + l) * from_pitch + j);
            exchange(block, 8);
            exchange(block, 4);
            exchange(block, 2);
            exchange(block, 1);
            UNROLL
            for (int l = 0; l < LANES; l++)
                _mm512_storeu_ps(to + (j + l) * to_pitch + i, block[l]);
        }
}

const CpuMicro cpu_micro_avx512 = {
    .name = "avx512",
    .algorithm = "gemm-avx512",
    .algorithm_bf16 = "bf16-avx512",
    .algorithm_int8 = "int8-avx512",
    .product = product,
    .product_bf16 = product_bf16,
    .product_int8 = product_int8,
    .outer = outer,
    .transpose = transpose,
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
    .gain_bf16 = 0.6,
    .gain_int8 = 0.8,
    .read_cost = 16,
    .transform_cost = 3,
};
