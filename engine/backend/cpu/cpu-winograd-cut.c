/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How the work is cut: so that what a task works on stays in a core's cache, by what things cost. */
#include "cpu-winograd-task.h"

#define MAX_PANELS 8
#define ROWS 14 /* of the widest kernel's tile: a block has so many, or a multiple */
#define MAX_ROWS (9 * ROWS)
/* In multiplications: a value of a tile that is transformed, a weight that is read from memory, and a
 * sum that is added to once more. */
#define TRANSFORM_COST 15
#define READ_COST 6
#define ADD_COST 2

/* How long the slowest thread takes, by the products of a point. */
static double time_of(const CpuWinogradCut *cut)
{
    const CpuWinograd *w = &cut->w;
    double rows = cut->rows, columns = (double)cut->panels * CPU_NR, runs = (w->k - 1) / w->run + 1;
    double tasks = (double)((cut->blocks * cut->groups + CPU_CUT_THREADS - 1) / CPU_CUT_THREADS);
    double products = rows * columns * (w->k + ADD_COST * runs), reads = columns * w->k * READ_COST;
    return tasks * (products + reads + rows * (w->k + columns) * TRANSFORM_COST);
}

static size_t floats_of(const CpuWinogradCut *cut)
{
    const CpuWinograd *w = &cut->w;
    return CPU_KC + (size_t)cpu_winograd_points(w) * (size_t)cut->rows * CPU_PITCH +
           CPU_NR *
               (size_t)(cut->panels * cpu_winograd_points(w) * cut->rows + cpu_winograd_outputs(w));
}

/* Whether inputs and sums stay in the cache while weights stream through it. */
static bool fits(const CpuWinogradCut *cut, size_t cache_bytes)
{
    size_t values = (size_t)cut->w.run + (size_t)cut->panels * CPU_NR;
    size_t bytes = (size_t)(cpu_winograd_points(&cut->w) * cut->rows) * values * sizeof(float);
    return bytes <= cache_bytes / 8 * 3;
}

static CpuWinogradCut cut_in(const CpuWinograd *w, int tiles, int rows, int panels)
{
    CpuWinogradCut cut = {.w = *w, .tiles = tiles, .rows = MIN(rows, tiles), .panels = panels};
    cut.blocks = (tiles + cut.rows - 1) / cut.rows;
    cut.groups = (w->panels + panels - 1) / panels;
    cut.phase_panels = w->joins ? 1 : cpu_panels(w->of.op.conv.oc);
    cut.worker_floats = floats_of(&cut);
    return cut;
}

CpuWinogradCut cpu_winograd_cut(const PixDevice *device, const CpuWinograd *w)
{
    int tiles = w->of.y.n * w->tiles_y * w->tiles_x;
    CpuWinogradCut best = cut_in(w, tiles, ROWS, 1);
    for (int panels = 1; panels <= MIN(w->panels, MAX_PANELS); panels++)
        for (int rows = ROWS; rows <= MAX_ROWS; rows += ROWS) {
            CpuWinogradCut cut = cut_in(w, tiles, rows, panels);
            if (fits(&cut, cpu_device(device)->cache_bytes) && time_of(&cut) < time_of(&best))
                best = cut;
        }
    return best;
}

int cpu_winograd_parts(const PixDevice *device, const CpuWinograd *w)
{
    return cpu_winograd_is_plain(w) ? cpu_winograd_cut(device, w).blocks * w->outputs : 0;
}

size_t cpu_winograd_run_floats(const PixDevice *device, const CpuWinograd *w)
{
    return cpu_winograd_cut(device, w).worker_floats *
           (size_t)cpu_pool_threads(cpu_device(device)->pool);
}
