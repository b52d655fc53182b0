/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The micro-kernel in plain C: the specification of the others, and the last resort. */
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
                    bool add_to_c)
{
    for (int j = 0; j < nr; j += HALF)
        product_half(m, nr, k, a, b + j, c + j, ldc, add_to_c);
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

const CpuMicro cpu_micro_c = {
    .name = "c", .algorithm = "gemm-c", .product = product, .outer = outer};
