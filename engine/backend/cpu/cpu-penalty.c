/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the gradient penalty does with maps of a few channels, once in a step. */
#include <math.h>

#include "cpu-private.h"

static float *pixel_of(const CpuView *view, int n, ptrdiff_t i)
{
    return view->data + ((ptrdiff_t)n * view->h * view->w + i) * view->pixel;
}

void cpu_mix(PixDevice *device, const PixTensor *to, const PixTensor *from, const PixMaskKey *key)
{
    CpuView y = cpu_view(to), x = cpu_view(from);
    for (int n = 0; n < y.n; n++) {
        float share = (float)(pix_rng_word(key, (uint64_t)n) / 4294967296.0);
        for (ptrdiff_t i = 0; i < (ptrdiff_t)y.h * y.w; i++) {
            float *a = pixel_of(&y, n, i);
            const float *b = pixel_of(&x, n, i);
            for (int c = 0; c < y.c; c++)
                a[c] = share * a[c] + (1 - share) * b[c];
        }
    }
}

/* Of sample @n, in NCHW order. The 1e-16 is of the source. */
static double norm_of(const CpuView *g, int n)
{
    double squares = 0;
    for (int c = 0; c < g->c; c++)
        for (ptrdiff_t i = 0; i < (ptrdiff_t)g->h * g->w; i++) {
            double value = pixel_of(g, n, i)[c] + 1e-16;
            squares += value * value;
        }
    return sqrt(squares);
}

void cpu_penalty(PixDevice *device, const PixTensor *tensor, double weight, PixRange value)
{
    CpuView g = cpu_view(tensor);
    double penalty = 0;
    for (int n = 0; n < g.n; n++) {
        double norm = norm_of(&g, n);
        penalty += (norm - 1) * (norm - 1) / (double)g.n;
        double scale = norm > 0 ? weight * 2 * (norm - 1) / norm / (double)g.n : 0;
        for (ptrdiff_t i = 0; i < (ptrdiff_t)g.h * g.w; i++)
            for (int c = 0; c < g.c; c++)
                pixel_of(&g, n, i)[c] = (float)(scale * pixel_of(&g, n, i)[c]);
    }
    *cpu_figure(value) = penalty;
}
