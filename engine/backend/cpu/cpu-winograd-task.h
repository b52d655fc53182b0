/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What the files of minimal filtering share: a task of it. */
#ifndef PIX_CPU_WINOGRAD_TASK_H
#define PIX_CPU_WINOGRAD_TASK_H

#include "cpu-winograd.h"

/** CPU_WINOGRAD_PANELS: the most in a group. */
#define CPU_WINOGRAD_PANELS 8

/** CpuWinogradTask: one block and one group, and what is worked on. */
typedef struct {
    const CpuWinograd *w;
    const float *weights; /* prepared */
    int first, rows;      /* tiles */
    int first_panel, last_panel;
    float *zeros, *v, *sums, *y; /* a pixel; inputs and sums at the points; outputs of a tile */
} CpuWinogradTask;

/** cpu_winograd_rows: How many tiles of the block have outputs of @panel's phase: the last ones may be
 * there for other phases. */
int cpu_winograd_rows(const CpuWinogradTask *task, int panel);

/** cpu_winograd_store: The sums of @panel become outputs, of its phase or of all. */
void cpu_winograd_store(const CpuWinogradTask *task, int panel);

/** cpu_winograd_is_whole: Whether the columns of each panel are channels of one phase that lie side by
 * side: outputs are stored where they belong, and counted in parts where those are wanted. */
bool cpu_winograd_is_whole(const CpuWinograd *winograd);

/** CpuWinogradPlace: sample, row and column of a tile. */
typedef struct {
    int n, y, x;
} CpuWinogradPlace;

static inline CpuWinogradPlace cpu_winograd_place(const CpuWinograd *w, int tile)
{
    return (CpuWinogradPlace){.n = tile / (w->tiles_y * w->tiles_x),
                              .y = tile / w->tiles_x % w->tiles_y,
                              .x = tile % w->tiles_x};
}

static inline CpuWinogradPlace cpu_winograd_next(const CpuWinograd *w, CpuWinogradPlace tile)
{
    if (++tile.x < w->tiles_x)
        return tile;
    tile.x = 0;
    if (++tile.y < w->tiles_y)
        return tile;
    tile.y = 0;
    tile.n++;
    return tile;
}

static inline int cpu_winograd_points(const CpuWinograd *w)
{
    return w->tile.points * w->tile.points;
}

static inline int cpu_winograd_outputs(const CpuWinograd *w)
{
    return w->tile.outputs * w->tile.outputs;
}

/** cpu_winograd_plane: Floats from a panel's sums at one point to those at the next. */
static inline ptrdiff_t cpu_winograd_plane(const CpuWinograd *w)
{
    return (ptrdiff_t)(w->cut.by_point ? w->cut.panels : 1) * w->cut.rows * CPU_NR;
}

/** cpu_winograd_sums: (tile, column) of @panel at @point, in the order of the weights. */
static inline float *cpu_winograd_sums(const CpuWinogradTask *t, int panel, int point)
{
    const CpuWinograd *w = t->w;
    int planes = w->cut.by_point ? 1 : cpu_winograd_points(w);
    return t->sums + point * cpu_winograd_plane(w) +
           (ptrdiff_t)(panel - t->first_panel) * planes * w->cut.rows * CPU_NR;
}

#endif
