/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "pyramid.h"

#include <glib.h>

/* The index that lies @i from the first, mirrored without repeating the border. */
static int reflect(int i, int n)
{
    i = ABS(i);
    return i < n ? i : 2 * (n - 1) - i;
}

float *pyramid_new_half(const float *from, int width, int height)
{
    int w = (width + 1) / 2, h = (height + 1) / 2;
    float *half = g_new(float, (gsize)w *h);
    g_autofree float *row = g_new(float, width);

    for (int y = 0; y < h; y++) {
        const float *r[5];
        for (int i = 0; i < 5; i++)
            r[i] = from + (gsize)reflect(2 * y + i - 2, height) * width;
        for (int x = 0; x < width; x++)
            row[x] = r[0][x] + r[4][x] + 4 * (r[1][x] + r[3][x]) + 6 * r[2][x];
        for (int x = 0; x < w; x++) {
            int i = 2 * x;
            half[(gsize)y * w + x] =
                (row[reflect(i - 2, width)] + row[reflect(i + 2, width)] +
                 4 * (row[reflect(i - 1, width)] + row[reflect(i + 1, width)]) + 6 * row[i]) /
                256;
        }
    }
    return half;
}

void pyramid_subtract_doubled(float *level, int width, int height, const float *half)
{
    int w = (width + 1) / 2, h = (height + 1) / 2;
    g_autofree float *row = g_new(float, w + 2);

    for (int y = 0; y < height; y++) {
        const float *above = half + (gsize)(y / 2 ? y / 2 - 1 : 1) * w;
        const float *here = half + (gsize)(y / 2) * w;
        const float *below = half + (gsize)MIN(y / 2 + 1, h - 1) * w;
        for (int x = 0; x < w; x++)
            row[x + 1] = y % 2 ? 4 * (here[x] + below[x]) : above[x] + 6 * here[x] + below[x];
        row[0] = row[2]; /* mirrored: a zero lies behind the last pixel, none before the first */
        row[w + 1] = row[w];
        float *to = level + (gsize)y * width;
        for (int x = 0; x < width; x++) {
            const float *r = row + 1 + x / 2;
            to[x] -= (x % 2 ? 4 * (r[0] + r[1]) : r[-1] + 6 * r[0] + r[1]) / 64;
        }
    }
}
