/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* In plain C: the specification of cpu-elements-simd.h. */
#include "cpu-elements.h"

#include <glib.h>
#include <string.h>

/* ---- activation ---- */

static float power_of_two(int n)
{
    union {
        int bits;
        float value;
    } u = {.bits = (n + 127) << 23};
    return u.value;
}

/*
 * tanh(a) = t / (t + 2) with t = exp(2a) - 1 for a = |x|, so that small values keep their relative
 * precision: 2a = n ln 2 + r with |r| <= ln 2 / 2, and exp(r) - 1 by its Taylor series.
 */
static float tanh_of(float x)
{
    float a = __builtin_fabsf(x);
    a = 2 * (a < 10 ? a : 10);
    int n = (int)(a * 1.44269504f + 0.5f);
    float r = a - (float)n * 0.693359375f + (float)n * 2.12194440e-4f;
    float p =
        r * (1 + r * (1 / 2.f +
                      r * (1 / 6.f +
                           r * (1 / 24.f + r * (1 / 120.f + r * (1 / 720.f + r * (1 / 5040.f)))))));
    float scale = power_of_two(n), t = scale * p + (scale - 1);
    float y = __builtin_copysignf(t / (t + 2), x);
    return x == x ? y : x;
}

void cpu_activate(PixActivation f, const float *x, float *y, size_t count)
{
    switch (f.kind) {
    case PIX_ACTIVATION_NONE:
        if (x != y)
            memcpy(y, x, count * sizeof *y);
        break;
    case PIX_ACTIVATION_RELU:
        for (size_t i = 0; i < count; i++)
            y[i] = x[i] < 0 ? 0 : x[i];
        break;
    case PIX_ACTIVATION_LEAKY_RELU:
        for (size_t i = 0; i < count; i++)
            y[i] = x[i] < 0 ? x[i] * f.slope : x[i];
        break;
    case PIX_ACTIVATION_TANH:
        for (size_t i = 0; i < count; i++)
            y[i] = tanh_of(x[i]);
        break;
    }
}

void cpu_activate_backward(PixActivation f, const float *y, const float *dy, float *dx,
                           size_t count, bool adds)
{
    if (f.kind == PIX_ACTIVATION_TANH) {
        for (size_t i = 0; i < count; i++)
            dx[i] = (adds ? dx[i] : 0) + dy[i] * (1 - y[i] * y[i]);
        return;
    }
    float below = f.kind == PIX_ACTIVATION_RELU         ? 0
                  : f.kind == PIX_ACTIVATION_LEAKY_RELU ? f.slope
                                                        : 1;
    for (size_t i = 0; i < count; i++)
        dx[i] = (adds ? dx[i] : 0) + (y[i] > 0 ? dy[i] : dy[i] * below);
}

/* ---- pixels ---- */

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

/* ---- reduced precision ---- */

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
