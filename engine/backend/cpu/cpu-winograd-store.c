/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From sums at the points to output pixels. */
#include "cpu-winograd-task.h"

#define MAX_PHASES CPU_NR /* that are joined */

/* A phase of outputs, and how far its first output is from that of the first tile. */
typedef struct {
    CpuPhase row, column;
    int y, x;
} Phase;

static Phase phase_of(const CpuWinograd *w, int output)
{
    const PixOp *op = &w->of.op;
    Phase p = {.row = cpu_phase_row(op, output / w->outputs_x, w->of.y.h),
               .column = cpu_phase_column(op, output % w->outputs_x, w->of.y.w)};
    if (op->kind == PIX_OP_DECONV) {
        p.y = w->first_y - (p.row.in_first - (w->taps - 1));
        p.x = w->first_x - (p.column.in_first - (w->taps - 1));
    }
    return p;
}

int cpu_winograd_rows(const CpuWinogradTask *t, int panel)
{
    const CpuWinograd *w = t->w;
    if (w->joins || w->of.y.n > 1)
        return t->rows;
    Phase p = phase_of(w, panel / w->phase_panels);
    int rows = (p.row.count - 1 - p.y) / w->tile.outputs + 1;
    return CLAMP(rows * w->tiles_x - t->first, 0, t->rows);
}

/* Where the pixels of @tile have channel @channel; NULL: outside. */
static void find_pixels(const CpuWinograd *w, const Phase *p, CpuWinogradPlace tile, int channel,
                        float **to)
{
    const CpuView *y = &w->of.y;
    int m = w->tile.outputs;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < m; j++, to++) {
            int row = p->y + tile.y * m + i, column = p->x + tile.x * m + j;
            bool inside = (unsigned)row < (unsigned)p->row.count &&
                          (unsigned)column < (unsigned)p->column.count;
            ptrdiff_t at = ((ptrdiff_t)tile.n * y->h + p->row.first + row * p->row.step) * y->w +
                           p->column.first + column * p->column.step;
            *to = inside ? y->data + at * y->pixel + channel : NULL;
        }
}

/* To be written: one by one, stores would wait for what lies there now. */
static void fetch_pixels(float *const *pixels, int count, int width)
{
    for (int i = 0; i < count; i++)
        for (int at = 0; at < width && pixels[i]; at += CPU_LINE)
            __builtin_prefetch(pixels[i] + at, 1);
}

/* The tiles of @panel, one of phase @output, straight to where they belong. */
static void store_whole(const CpuWinogradTask *t, int panel, int output)
{
    const CpuWinograd *w = t->w;
    int channel = panel % w->phase_panels * CPU_NR, width = cpu_winograd_width(w, panel);
    int rows = cpu_winograd_rows(t, panel), oc = w->of.op.conv.oc;
    int part = t->first / w->cut.rows * w->outputs + output;
    double *parts = w->of.parts ? w->of.parts + (ptrdiff_t)part * 2 * oc + channel : NULL;
    float *to[2][CPU_TILE_POINTS * CPU_TILE_POINTS]; /* of this tile and of the next */
    CpuFinish finish = cpu_conv_finish_of(&w->of, channel);
    if (parts) {
        memset(parts, 0, (size_t)width * sizeof *parts);
        memset(parts + oc, 0, (size_t)width * sizeof *parts);
    }
    Phase phase = phase_of(w, output);
    CpuWinogradPlace tile = cpu_winograd_place(w, t->first);
    find_pixels(w, &phase, tile, channel, to[0]);
    for (int i = 0; i < rows; i++) {
        tile = cpu_winograd_next(w, tile);
        if (i + 1 < rows) {
            find_pixels(w, &phase, tile, channel, to[(i + 1) % 2]);
            fetch_pixels(to[(i + 1) % 2], cpu_winograd_outputs(w), width);
        }
        w->micro->tile_out(w->tile, &finish, cpu_winograd_sums(t, panel, 0) + i * CPU_NR,
                           cpu_winograd_plane(w), width, to[i % 2], parts, oc);
    }
}

/* What becomes of the columns of a panel: vectors for all of them, the phases' one after the other. */
typedef struct {
    float scale[CPU_NR], shift[CPU_NR];
} Columns;

static CpuFinish finish_of(const CpuWinograd *w, int channel, Columns *columns)
{
    int oc = w->of.op.conv.oc;
    CpuFinish finish = cpu_conv_finish_of(&w->of, 0);
    finish.adds = false; /* copy_pixels() does */
    for (int i = 0; i < CPU_NR; i++) {
        int c = w->joins ? i % oc : channel + i;
        columns->scale[i] = finish.scale && c < oc ? finish.scale[c] : 1;
        columns->shift[i] = finish.shift && c < oc ? finish.shift[c] : 0;
    }
    finish.scale = finish.scale ? columns->scale : NULL;
    finish.shift = finish.shift ? columns->shift : NULL;
    return finish;
}

/* @count channels from @first on of all pixels of @tile. */
static void copy_pixels(const CpuWinograd *w, const Phase *phase, CpuWinogradPlace tile, int first,
                        int count, const float *from)
{
    float *to[CPU_TILE_POINTS * CPU_TILE_POINTS];
    find_pixels(w, phase, tile, first, to);
    for (int i = 0; i < cpu_winograd_outputs(w); i++, from += CPU_NR) {
        if (to[i] && !w->of.adds)
            cpu_copy_floats(to[i], from, count);
        for (int c = 0; c < count && to[i] && w->of.adds; c++)
            to[i][c] += from[c];
    }
}

/* The tiles of @panel, of phase @output or of all, by way of t->y. */
static void store_copied(const CpuWinogradTask *t, int panel, int output)
{
    const CpuWinograd *w = t->w;
    int oc = w->of.op.conv.oc, channel = panel % w->phase_panels * CPU_NR;
    int rows = cpu_winograd_rows(t, panel);
    int outputs = w->joins ? w->outputs : 1, width = cpu_winograd_width(w, panel);
    float *to[CPU_TILE_POINTS * CPU_TILE_POINTS];
    Phase phases[MAX_PHASES];
    Columns columns;
    CpuFinish finish = finish_of(w, channel, &columns);
    CpuWinogradPlace tile = cpu_winograd_place(w, t->first);
    for (int j = 0; j < outputs; j++)
        phases[j] = phase_of(w, output + j);
    for (int i = 0; i < cpu_winograd_outputs(w); i++)
        to[i] = t->y + (ptrdiff_t)i * CPU_NR;
    for (int i = 0; i < rows; i++, tile = cpu_winograd_next(w, tile)) {
        w->micro->tile_out(w->tile, &finish, cpu_winograd_sums(t, panel, 0) + i * CPU_NR,
                           cpu_winograd_plane(w), width, to, NULL, 0);
        for (int j = 0; j < outputs; j++)
            copy_pixels(w, &phases[j], tile, channel, MIN(CPU_NR, oc - channel),
                        t->y + (ptrdiff_t)j * oc);
    }
}

bool cpu_winograd_is_whole(const CpuWinograd *w)
{
    return !w->joins && w->of.op.conv.oc % (CPU_NR / 2) == 0;
}

void cpu_winograd_store(const CpuWinogradTask *t, int panel)
{
    const CpuWinograd *w = t->w;
    int output = w->joins ? 0 : panel / w->phase_panels;
    if (cpu_winograd_is_whole(w))
        store_whole(t, panel, output);
    else
        store_copied(t, panel, output);
}
