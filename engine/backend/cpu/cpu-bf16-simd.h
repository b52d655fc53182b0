/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* product_bf16() in registers: see cpu-micro-simd.h. */
#ifndef PIX_CPU_BF16_SIMD_H
#define PIX_CPU_BF16_SIMD_H

#include "cpu-micro-simd.h"

static void product_bf16(int m, int nr, int k, const float *a, const float *b, float *c, int ldc,
                         bool add_to_c, CpuNext next)
{
    all_tiles(BF16, false, m, nr, k, (Sides){.a = a, .b = b, .nr = nr}, next, c, ldc,
              add_to_c ? CPU_ADD : CPU_SET);
}

#endif
