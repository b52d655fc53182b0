/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define LANES 8
#define ROWS 6
#define COLS 2
#include "cpu-micro-simd.h"

const CpuMicro cpu_micro_avx2 = {
    .name = "avx2", .algorithm = "gemm-avx2", .product = product, .outer = outer};
