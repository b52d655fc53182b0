/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The micro-kernel in plain C: the specification of the others, and the last resort. */
#include <string.h>

#include "cpu-micro.h"

#define HALF (CPU_NR / 2)

static void product_half(int m, int nr, int k, const float *a, const float *b, float *c, int ldc,
                         bool add_to_c)
{
    for (int i = 0; i < m; i++) {
        float sum[HALF];
        for (int j = 0; j < HALF; j++)
            sum[j] = 0;
        for (int l = 0; l < k; l++)
            for (int j = 0; j < HALF; j++)
                sum[j] += a[i * CPU_PITCH + l] * b[l * nr + j];
        for (int j = 0; j < HALF; j++)
            c[i * ldc + j] = add_to_c ? c[i * ldc + j] + sum[j] : sum[j];
    }
}

static void product(int m, int nr, int k, const float *a, const float *b, float *c, int ldc,
                    bool add_to_c, CpuNext next)
{
    for (int j = 0; j < nr; j += HALF)
        product_half(m, nr, k, a, b + j, c + j, ldc, add_to_c);
}

static uint32_t unit_of(float x)
{
    uint32_t unit;
    memcpy(&unit, &x, sizeof unit);
    return unit;
}

static float upper_half(uint32_t unit)
{
    float x;
    unit &= 0xffff0000u;
    memcpy(&x, &unit, sizeof x);
    return x;
}

static float dot_bf16(uint32_t a, uint32_t b)
{
    return upper_half(a << 16) * upper_half(b << 16) + upper_half(a) * upper_half(b);
}

static void product_bf16(int m, int nr, int k, const float *a, const float *b, float *c, int ldc,
                         bool add_to_c, CpuNext next)
{
    for (int i = 0; i < m; i++)
        for (int j = 0; j < nr; j++) {
            float sum = 0;
            for (int l = 0; l < k; l++)
                sum += dot_bf16(unit_of(a[i * CPU_PITCH + l]), unit_of(b[l * nr + j]));
            c[i * ldc + j] = add_to_c ? c[i * ldc + j] + sum : sum;
        }
}

static int32_t dot_int8(uint32_t a, uint32_t b)
{
    int32_t sum = 0;
    for (int i = 0; i < 4; i++)
        sum += (uint8_t)(a >> 8 * i) * (int8_t)(b >> 8 * i);
    return sum;
}

static void product_int8(int m, int nr, int k, const float *a, const float *b, float *c, int ldc,
                         bool add_to_c, CpuNext next)
{
    for (int i = 0; i < m; i++)
        for (int j = 0; j < nr; j++) {
            int32_t sum = add_to_c ? (int32_t)unit_of(c[i * ldc + j]) : 0;
            for (int l = 0; l < k; l++)
                sum += dot_int8(unit_of(a[i * CPU_PITCH + l]), unit_of(b[l * nr + j]));
            memcpy(&c[i * ldc + j], &sum, sizeof sum);
        }
}

static void outer_half(int m, int k, const float *const *a, const float *const *b, int column,
                       float *c, int ldc, CpuResult result)
{
    for (int i = 0; i < m; i++) {
        float sum[HALF];
        for (int j = 0; j < HALF; j++)
            sum[j] = 0;
        for (int l = 0; l < k; l++)
            for (int j = 0; j < HALF; j++)
                sum[j] += a[l][i] * b[l][column + j];
        for (int j = 0; j < HALF; j++)
            c[i * ldc + j] = result == CPU_ADD ? c[i * ldc + j] + sum[j] : sum[j];
    }
}

static void outer(int m, int nr, int k, const float *const *a, const float *const *b, float *c,
                  int ldc, CpuResult result)
{
    for (int j = 0; j < nr; j += HALF)
        outer_half(m, k, a, b, j, c + j, ldc, result);
}

typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));

/* to[j][i] = from[i][j] for four by four. */
static inline void transpose_four(const float *from, ptrdiff_t from_pitch, float *to,
                                  ptrdiff_t to_pitch)
{
    Four a = *(const Four *)from, b = *(const Four *)(from + from_pitch);
    Four c = *(const Four *)(from + 2 * from_pitch), d = *(const Four *)(from + 3 * from_pitch);
    Four ac0 = __builtin_shufflevector(a, c, 0, 4, 1, 5),
         ac1 = __builtin_shufflevector(a, c, 2, 6, 3, 7);
    Four bd0 = __builtin_shufflevector(b, d, 0, 4, 1, 5),
         bd1 = __builtin_shufflevector(b, d, 2, 6, 3, 7);
    *(Four *)to = __builtin_shufflevector(ac0, bd0, 0, 4, 1, 5);
    *(Four *)(to + to_pitch) = __builtin_shufflevector(ac0, bd0, 2, 6, 3, 7);
    *(Four *)(to + 2 * to_pitch) = __builtin_shufflevector(ac1, bd1, 0, 4, 1, 5);
    *(Four *)(to + 3 * to_pitch) = __builtin_shufflevector(ac1, bd1, 2, 6, 3, 7);
}

void cpu_transpose(int rows, int columns, const float *from, ptrdiff_t from_pitch, float *to,
                   ptrdiff_t to_pitch)
{
    int whole_rows = rows / 4 * 4, whole_columns = columns / 4 * 4;
    for (int j = 0; j < whole_columns; j += 4)
        for (int i = 0; i < whole_rows; i += 4)
            transpose_four(from + i * from_pitch + j, from_pitch, to + j * to_pitch + i, to_pitch);
    for (int j = 0; j < columns; j++)
        for (int i = j < whole_columns ? whole_rows : 0; i < rows; i++)
            to[j * to_pitch + i] = from[i * from_pitch + j];
}

const CpuMicro cpu_micro_c = {
    .name = "c",
    .algorithm = "gemm-c",
    .algorithm_bf16 = "bf16-c",
    .algorithm_int8 = "int8-c",
    .product = product,
    .product_bf16 = product_bf16,
    .product_int8 = product_int8,
    .outer = outer,
    .transpose = cpu_transpose,
    .finish = cpu_finish,
    .sum = cpu_sum,
    .largest = cpu_largest,
    .to_bf16 = cpu_to_bf16,
    .to_int8 = cpu_to_int8,
    .multiply_add = cpu_multiply_add,
    .read_ints = cpu_read_ints,
    .tile_in = cpu_tile_in,
    .tile_out = cpu_tile_out,
    .tile_weights = cpu_tile_weights,
    .gain_bf16 = 0.3,
    .gain_int8 = 0.2,
    .read_cost = 4,
    .transform_cost = 50,
};
