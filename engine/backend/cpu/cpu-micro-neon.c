/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* 64-bit ARM: 32 registers of four floats. Stores go through the caches: there is no other kind. */
#define LANES 4
#define ROWS 6
#define COLS 4
#define STREAM(to, x) (*(to) = (x))
#include "cpu-elements-simd.h"
#include "cpu-micro-simd.h"
#include "cpu-tile-simd.h"

const CpuMicro cpu_micro_neon = {
    .name = "neon",
    .algorithm = "gemm-neon",
    .product = product,
    .outer = outer,
    .transpose = cpu_transpose,
    .finish = finish,
    .sum = sum,
    .tile_in = tile_in,
    .tile_out = tile_out,
};
