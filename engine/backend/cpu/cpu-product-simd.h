/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* product() and outer() of float32 in registers: see cpu-micro-simd.h. */
#ifndef PIX_CPU_PRODUCT_SIMD_H
#define PIX_CPU_PRODUCT_SIMD_H

#include "cpu-micro-simd.h"

static void product(int m, int nr, int k, const float *a, const float *b, float *c, int ldc,
                    bool add_to_c, CpuNext next)
{
    all_tiles(FLOATS, false, m, nr, k, (Sides){.a = a, .b = b, .nr = nr}, next, c, ldc,
              add_to_c ? CPU_ADD : CPU_SET);
}

static void outer(int m, int nr, int k, const float *const *a, const float *const *b, float *c,
                  int ldc, CpuResult result)
{
    all_tiles(FLOATS, true, m, nr, k, (Sides){.a_list = a, .b_list = b}, (CpuNext){0}, c, ldc,
              result);
}

#endif
