/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The transforms in plain C, by their matrices: the specification of those of cpu-tile-simd.h. */
#include "cpu-tile.h"

#include <glib.h>

#define P CPU_TILE_POINTS

typedef const float (*Matrix)[P];

typedef struct {
    CpuTile tile;
    float in[P][P], out[P][P]; /* B^T (points, points), A^T (outputs, points) */
    float weights[P][P];       /* G (points, taps) */
} Transform;

/* The points 0, 1 and infinity; 0, 1, -1 and infinity; 0, 1, -1, 2, -2 and infinity. */
#define IN_4                                                                                       \
    {                                                                                              \
        {1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0},                                                \
        {                                                                                          \
            0, -1, 0, 1                                                                            \
        }                                                                                          \
    }
#define IN_6                                                                                       \
    {                                                                                              \
        {4, 0, -5, 0, 1, 0}, {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0}, {0, -2, -1, 2, 1, 0},     \
            {0, 2, -1, -2, 1, 0},                                                                  \
        {                                                                                          \
            0, 4, 0, -5, 0, 1                                                                      \
        }                                                                                          \
    }
static const Transform transforms[] = {
    {{3, 2},
     .in = {{1, -1, 0}, {0, 1, 0}, {0, -1, 1}},
     .out = {{1, 1, 0}, {0, 1, 1}},
     .weights = {{1, 0}, {1, 1}, {0, 1}}},
    {{4, 3},
     .in = IN_4,
     .out = {{1, 1, 1, 0}, {0, 1, -1, 0}, {0, 1, 1, 1}},
     .weights = {{1, 0}, {0.5f, 0.5f}, {0.5f, -0.5f}, {0, 1}}},
    {{4, 2},
     .in = IN_4,
     .out = {{1, 1, 1, 0}, {0, 1, -1, 1}},
     .weights = {{1, 0, 0}, {0.5f, 0.5f, 0.5f}, {0.5f, -0.5f, 0.5f}, {0, 0, 1}}},
    {{6, 3},
     .in = IN_6,
     .out = {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 1}},
     .weights = {{1.f / 4, 0, 0, 0},
                 {-1.f / 6, -1.f / 6, -1.f / 6, -1.f / 6},
                 {-1.f / 6, 1.f / 6, -1.f / 6, 1.f / 6},
                 {1.f / 24, 1.f / 12, 1.f / 6, 1.f / 3},
                 {1.f / 24, -1.f / 12, 1.f / 6, -1.f / 3},
                 {0, 0, 0, 1}}},
    {{6, 4},
     .in = IN_6,
     .out = {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}},
     .weights = {{1.f / 4, 0, 0},
                 {-1.f / 6, -1.f / 6, -1.f / 6},
                 {-1.f / 6, 1.f / 6, -1.f / 6},
                 {1.f / 24, 1.f / 12, 1.f / 6},
                 {1.f / 24, -1.f / 12, 1.f / 6},
                 {0, 0, 1}}},
};

static const Transform *transform_of(CpuTile tile)
{
    for (size_t i = 0; i < G_N_ELEMENTS(transforms); i++)
        if (transforms[i].tile.points == tile.points && transforms[i].tile.outputs == tile.outputs)
            return &transforms[i];
    g_assert_not_reached();
}

/* to = matrix * from * matrix^T, for (rows, columns) of @matrix and (columns, columns) of @from. */
static void apply(Matrix matrix, int rows, int columns, float from[P][P], float to[P][P])
{
    float half[P][P] = {{0}};
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            for (int l = 0; l < columns; l++)
                half[i][j] += matrix[i][l] * from[l][j];
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < rows; j++) {
            to[i][j] = 0;
            for (int l = 0; l < columns; l++)
                to[i][j] += matrix[j][l] * half[i][l];
        }
}

void cpu_tile_in(CpuTile tile, bool rectifies, const float *const *from, int count, float *to,
                 ptrdiff_t plane)
{
    const Transform *t = transform_of(tile);
    int n = tile.points;
    for (int c = 0; c < count; c++) {
        float d[P][P], v[P][P];
        for (int i = 0; i < n * n; i++)
            d[i / n][i % n] = rectifies && from[i][c] < 0 ? 0 : from[i][c];
        apply(t->in, n, n, d, v);
        for (int i = 0; i < n * n; i++)
            to[i * plane + c] = v[i / n][i % n];
    }
}

void cpu_tile_out(CpuTile tile, const CpuFinish *finish, const float *from, ptrdiff_t plane,
                  int count, float *const *to, double *parts, ptrdiff_t squares)
{
    const Transform *t = transform_of(tile);
    int n = tile.points, m = tile.outputs;
    for (int c = 0; c < count; c++) {
        CpuFinish f = *finish;
        float d[P][P], y[P][P];
        f.scale = finish->scale ? finish->scale + c : NULL;
        f.shift = finish->shift ? finish->shift + c : NULL;
        for (int i = 0; i < n * n; i++)
            d[i / n][i % n] = from[i * plane + c];
        apply(t->out, m, n, d, y);
        for (int i = 0; i < m * m; i++) {
            if (!to[i])
                continue;
            cpu_finish(&f, &y[i / m][i % m], &to[i][c], 1);
            double value = (double)to[i][c];
            if (!parts)
                continue;
            parts[c] += value;
            parts[squares + c] += value * value;
        }
    }
}

void cpu_tile_weights(CpuTile tile, const float *from, ptrdiff_t pitch, int count, float *to,
                      ptrdiff_t plane)
{
    const Transform *t = transform_of(tile);
    int n = tile.points, taps = tile.points - tile.outputs + 1;
    for (int c = 0; c < count; c++) {
        float g[P][P], u[P][P];
        for (int i = 0; i < taps * taps; i++)
            g[i / taps][i % taps] = from[i * pitch + c];
        apply(t->weights, n, taps, g, u);
        for (int i = 0; i < n * n; i++)
            to[i * plane + c] = u[i / n][i % n];
    }
}
