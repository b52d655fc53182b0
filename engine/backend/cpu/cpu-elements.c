/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* In plain C: the specification of cpu-elements-simd.h. */
#include "cpu-elements.h"

#include <glib.h>
#include <string.h>

#include "cpu-private.h"

static int32_t bits_of(float x)
{
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

void cpu_finish(const CpuFinish *f, const float *x, float *y, int count)
{
    for (int i = 0; i < count; i++) {
        float sum = f->zeros ? (float)(bits_of(x[i]) - f->zeros[i]) * f->factor : x[i];
        if (f->scale)
            sum = sum * f->scale[i] + f->shift[i];
        else if (f->shift)
            sum += f->shift[i];
        y[i] = f->adds ? y[i] + sum : sum;
    }
    cpu_activate(f->activation, y, y, (size_t)count);
}

void cpu_sum(const float *v, ptrdiff_t v_pixel, const float *x, ptrdiff_t x_pixel, int pixels,
             int count, CpuSum *sums)
{
    for (int c = 0; c < count; c++) {
        CpuSum sum = {0};
        for (int i = 0; i < pixels; i++) {
            double vi = (double)v[i * v_pixel + c];
            sum.v += vi;
            sum.vx += vi * (double)x[i * x_pixel + c];
        }
        sums[c].v += sum.v;
        sums[c].vx += sum.vx;
    }
}

static float rectified(float x, bool rectifies)
{
    return rectifies && x < 0 ? 0 : x;
}

uint32_t cpu_largest(const float *x, bool rectifies, int count)
{
    uint32_t largest = 0;
    for (int i = 0; i < count; i++) {
        uint32_t bits = (uint32_t)bits_of(rectified(x[i], rectifies)) & 0x7fffffffu;
        largest = MAX(largest, bits);
    }
    return largest;
}

void cpu_to_bf16(const float *x, bool rectifies, uint16_t *y, int count)
{
    for (int i = 0; i < count; i++) {
        uint32_t bits = (uint32_t)bits_of(rectified(x[i], rectifies));
        bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
        y[i] = (uint16_t)((nan ? bits | 0x400000u : bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
    }
}

void cpu_to_int8(const float *x, bool rectifies, float inverse, uint8_t *y, int count)
{
    for (int i = 0; i < count; i++)
        y[i] = (uint8_t)(bits_of(rectified(x[i], rectifies) * inverse + CPU_ROUNDER) ^ 0x80);
}
