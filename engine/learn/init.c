/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "init.h"

#include <math.h>

#include "rng.h"

/* A stream of random words apart from all dropout layers. */
#define STREAM 0xFFFFu

static double uniform(uint32_t word) /* (0, 1) */
{
    return (word + 0.5) / 4294967296.0;
}

/* Source: Box and Muller 1958. */
static void draw_normal(uint64_t seed, unsigned index, double deviation, double mean, float *values,
                        size_t count)
{
    PixMaskKey key = {seed, index, STREAM};
    uint32_t words[4];
    for (size_t i = 0; i < count; i += 4) {
        pix_rng_words(&key, i, 4, words);
        for (size_t j = 0; j < 4 && i + j < count; j++) {
            double radius = sqrt(-2 * log(uniform(words[j & 2])));
            double angle = 2 * G_PI * uniform(words[j | 1]);
            double z = radius * (j & 1 ? sin(angle) : cos(angle));
            values[i + j] = (float)(mean + deviation * z);
        }
    }
}

static double dot(const float *a, const float *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

/* Makes row @i of unit length and at right angles to the rows before; twice, as one pass leaves an
 * error where rows are nearly parallel. */
static void orthonormalise(float *rows, size_t i, size_t length)
{
    float *row = rows + i * length;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t j = 0; j < i; j++) {
            float share = (float)dot(row, rows + j * length, length);
            for (size_t k = 0; k < length; k++)
                row[k] -= share * rows[j * length + k];
        }
        float scale = (float)(1 / sqrt(dot(row, row, length)));
        for (size_t k = 0; k < length; k++)
            row[k] *= scale;
    }
}

/* The kernel as a matrix of dims[0] rows: its rows, or its columns if they are fewer, become
 * orthonormal. */
static void draw_orthogonal(const PixParam *param, double gain, uint64_t seed, unsigned index,
                            float *values)
{
    size_t rows = (size_t)param->dims[0], columns = pix_param_count(param) / rows;
    size_t fewer = MIN(rows, columns), more = MAX(rows, columns);
    g_autofree float *basis = g_new(float, fewer *more);
    draw_normal(seed, index, 1, 0, basis, fewer * more);
    for (size_t i = 0; i < fewer; i++)
        orthonormalise(basis, i, more);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            float v = rows <= columns ? basis[i * more + j] : basis[j * more + i];
            values[i * columns + j] = (float)gain * v;
        }
}

static void draw_kernel(const PixParam *param, PixInit init, double gain, uint64_t seed,
                        unsigned index, float *values)
{
    int taps = param->dims[2] * param->dims[3];
    double fan_in = (double)param->dims[1] * taps, fan_out = (double)param->dims[0] * taps;
    double deviation = gain;
    switch (init) {
    case PIX_INIT_NORMAL:
        break;
    case PIX_INIT_XAVIER:
        deviation = gain * sqrt(2 / (fan_in + fan_out));
        break;
    case PIX_INIT_KAIMING:
        deviation = sqrt(2 / fan_in);
        break;
    case PIX_INIT_ORTHOGONAL:
        draw_orthogonal(param, gain, seed, index, values);
        return;
    }
    draw_normal(seed, index, deviation, 0, values, pix_param_count(param));
}

void pix_init_values(const PixParam *param, PixInit init, double gain, uint64_t seed,
                     unsigned index, float *values)
{
    if (param->slot == PIX_SLOT_WEIGHT) {
        draw_kernel(param, init, gain, seed, index, values);
    } else if (param->slot == PIX_SLOT_GAMMA) {
        draw_normal(seed, index, gain, 1, values, pix_param_count(param));
    } else {
        for (size_t i = 0; i < pix_param_count(param); i++)
            values[i] = param->slot == PIX_SLOT_VARIANCE;
    }
}
