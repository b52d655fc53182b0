/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* 64-bit ARM: 32 registers of four floats. Stores go through the caches: there is no other kind. */
#define LANES 4
#define ROWS 6
#define COLS 4
#define STREAM(to, x) (*(to) = (x))
#include "cpu-bf16-simd.h"
#include "cpu-elements-simd.h"
#include "cpu-int8-simd.h"
#include "cpu-load-simd.h"
#include "cpu-product-simd.h"
#include "cpu-tile-simd.h"

const CpuMicro cpu_micro_neon = {
    .name = "neon",
    .algorithm = "gemm-neon",
    .algorithm_bf16 = "bf16-neon",
    .algorithm_int8 = "int8-neon",
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
    /* Estimated by instructions: 49 for 96 of float32, 116 for 192 of bf16, 236 for 384 of int8. */
    .gain_bf16 = 0.8,
    .gain_int8 = 0.8,
    .read_cost = 8,
    .transform_cost = 3,
};
