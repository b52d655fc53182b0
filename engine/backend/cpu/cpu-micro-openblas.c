/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The micro-kernel by OpenBLAS: for CPUs that have no row of their own here. CPU_MC keeps every
 * product below the size from which on it would use threads, so that its settings, which belong to
 * the host, neither matter nor change.
 */
#include <cblas.h>

#include "cpu-micro.h"

G_STATIC_ASSERT(CPU_MC *CPU_NR *CPU_KC < 1 << 19);

static void product(int m, int nr, int k, const float *a, const float *b, float *c, int ldc,
                    bool add_to_c)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, nr, k, 1, a, CPU_PITCH, b, nr,
                add_to_c ? 1 : 0, c, ldc);
}

const CpuMicro cpu_micro_openblas = {
    .name = "openblas", .algorithm = "gemm-openblas", .product = product};
