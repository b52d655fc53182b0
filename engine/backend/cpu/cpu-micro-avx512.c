/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define LANES 16
#define ROWS 14
#define COLS 2
#include "cpu-micro-simd.h"

const CpuMicro cpu_micro_avx512 = {
    .name = "avx512", .algorithm = "gemm-avx512", .product = product, .outer = outer};
