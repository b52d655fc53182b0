/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The micro-kernel by OpenBLAS: for CPUs that have no row of their own here. CPU_MC keeps every
 * product below the size from which on it would use threads, so that its settings, which belong to
 * the host, neither matter nor change.
 */
#include <cblas.h>
#include <string.h>

#include "cpu-micro.h"

G_STATIC_ASSERT(CPU_MC *CPU_NR *CPU_KC < 1 << 19);
G_STATIC_ASSERT(CPU_PIXELS <= CPU_KC);

static void product(int m, int nr, int k, const float *a, const float *b, float *c, int ldc,
                    bool add_to_c, CpuNext next)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, nr, k, 1, a, CPU_PITCH, b, nr,
                add_to_c ? 1 : 0, c, ldc);
}

static void outer(int m, int nr, int k, const float *const *a, const float *const *b, float *c,
                  int ldc, CpuResult result)
{
    float rows[CPU_PIXELS * CPU_MC], columns[CPU_PIXELS * CPU_NR];
    for (int l = 0; l < k; l++)
        memcpy(columns + l * nr, b[l], (size_t)nr * sizeof *columns);
    for (int i = 0; i < m; i += CPU_MC) {
        int count = MIN(m - i, CPU_MC);
        for (int l = 0; l < k; l++)
            memcpy(rows + l * count, a[l] + i, (size_t)count * sizeof *rows);
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, count, nr, k, 1, rows, count, columns,
                    nr, result == CPU_ADD ? 1 : 0, c + i * ldc, ldc);
    }
}

const CpuMicro cpu_micro_openblas = {
    .name = "openblas",
    .algorithm = "gemm-openblas",
    .product = product,
    .outer = outer,
    .gain_bf16 = 0.04,
    .gain_int8 = 0.03,
    .read_cost = 12,
    .transform_cost = 300,
};
