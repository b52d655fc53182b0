/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How the work is cut: so that what a task works on stays in a core's cache, by what things cost. */
#include "cpu-winograd-task.h"

#define ROWS 14 /* of the widest kernel's tile: a block has so many, or a multiple */
#define MAX_ROWS (9 * ROWS)
/* Fitted to the fastest of what was tried on an Intel Xeon, in parts of a multiplication: a value of a tile
 * that is transformed, a weight that a task reads, and a sum that is added to once more. */
#define TRANSFORM_COST 15
#define READ_COST 6
#define ADD_COST 2

/* How long the slowest of @threads takes, by the products of a point. */
static double time_of(const CpuWinograd *w, const CpuWinogradCut *cut, int threads)
{
    double rows = cut->rows, columns = (double)cut->panels * CPU_NR, runs = (w->k - 1) / w->run + 1;
    double tasks = (double)((cut->blocks * cut->groups + threads - 1) / threads);
    double products = rows * columns * (w->k + ADD_COST * runs), reads = columns * w->k * READ_COST;
    return tasks * (products + reads + rows * (w->k + columns) * TRANSFORM_COST);
}

/* Whether inputs and sums stay in the cache while weights stream through it. */
static bool fits(const CpuWinograd *w, const CpuWinogradCut *cut, size_t cache_bytes)
{
    size_t values = (size_t)w->run + (size_t)cut->panels * CPU_NR;
    size_t bytes = (size_t)(cpu_winograd_points(w) * cut->rows) * values * sizeof(float);
    return bytes <= cache_bytes / 16 * 7;
}

static CpuWinogradCut cut_in(const CpuWinograd *w, int rows, int panels)
{
    CpuWinogradCut cut = {.tiles = w->of.y.n * w->tiles_y * w->tiles_x, .panels = panels};
    cut.rows = MIN(rows, cut.tiles);
    cut.blocks = (cut.tiles + cut.rows - 1) / cut.rows;
    cut.groups = (w->panels + panels - 1) / panels;
    return cut;
}

/* The fastest for @threads with blocks of @rows tiles, or where that is 0, of any number. */
static CpuWinogradCut fastest(const CpuWinograd *w, size_t cache_bytes, int rows, int threads)
{
    int first = rows > 0 ? rows : ROWS, last = rows > 0 ? rows : MAX_ROWS;
    CpuWinogradCut best = cut_in(w, first, 1);
    for (int panels = 1; panels <= MIN(w->panels, CPU_WINOGRAD_PANELS); panels++)
        for (int i = first; i <= last; i += ROWS) {
            CpuWinogradCut cut = cut_in(w, i, panels);
            if (fits(w, &cut, cache_bytes) &&
                time_of(w, &cut, threads) < time_of(w, &best, threads))
                best = cut;
        }
    return best;
}

void cpu_winograd_cut(const PixDevice *device, CpuWinograd *w)
{
    const CpuDevice *cpu = cpu_device(device);
    int threads = cpu_pool_threads(cpu->pool);
    w->cut = fastest(w, cpu->cache_bytes, 0, CPU_CUT_THREADS);
    if (threads != CPU_CUT_THREADS)
        w->cut = fastest(w, cpu->cache_bytes, w->cut.rows, threads);
    w->cut.by_point = w->cut.blocks == 1;
    int values = CPU_PITCH + w->cut.panels * CPU_NR;
    w->cut.worker_floats = (size_t)(CPU_KC + cpu_winograd_outputs(w) * CPU_NR) +
                           (size_t)(cpu_winograd_points(w) * w->cut.rows) * (size_t)values;
}

int cpu_winograd_parts(const CpuWinograd *w)
{
    return cpu_winograd_is_whole(w) ? w->cut.blocks * w->outputs : 0;
}

size_t cpu_winograd_run_floats(const PixDevice *device, const CpuWinograd *w)
{
    return w->cut.worker_floats * (size_t)cpu_pool_threads(cpu_device(device)->pool);
}
