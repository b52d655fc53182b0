/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which input pixels the output pixels of a convolution meet. */
#include "cpu-conv.h"

size_t cpu_phase_pixels(const CpuPixelBlock *block)
{
    return (size_t)block->conv->y.n * (size_t)block->row.count * (size_t)block->column.count;
}

void cpu_find_pixels(CpuPixelBlock *block, size_t first, size_t last)
{
    const CpuView *x = &block->conv->x, *y = &block->conv->y;
    const CpuPhase *rows = &block->row, *columns = &block->column;
    size_t width = (size_t)columns->count, each = (size_t)rows->count * width;
    int n = (int)(first / each), row = (int)(first % each / width), column = (int)(first % width);
    block->count = (int)(last - first);
    for (int i = 0; i < block->count; i++) {
        CpuPixel *p = &block->pixels[i];
        ptrdiff_t oy = rows->first + row * rows->step, ox = columns->first + column * columns->step;
        p->n = n;
        p->y = row * rows->in_step + rows->in_first;
        p->x = column * columns->in_step + columns->in_first;
        p->in = (((ptrdiff_t)n * x->h + p->y) * x->w + p->x) * x->pixel;
        p->out = y->data + (((ptrdiff_t)n * y->h + oy) * y->w + ox) * y->pixel;
        if (++column == columns->count) {
            column = 0;
            if (++row == rows->count) {
                row = 0;
                n++;
            }
        }
    }
}

/* Where @pixel meets its tap at distance (@dy, @dx) from the first. */
static const float *meet(const CpuPixelBlock *block, const CpuPixel *pixel, int dy, int dx)
{
    const CpuView *x = &block->conv->x;
    PixPadMode mode = block->conv->op.conv.pad.mode;
    int iy = cpu_padded_index(pixel->y + dy, x->h, mode);
    int ix = cpu_padded_index(pixel->x + dx, x->w, mode);
    if (iy < 0 || ix < 0)
        return NULL;
    return x->data + (((ptrdiff_t)pixel->n * x->h + iy) * x->w + ix) * x->pixel;
}

int cpu_meet(const CpuPixelBlock *block, int ty, int tx, const float **from)
{
    const CpuView *x = &block->conv->x;
    bool zero = block->conv->op.conv.pad.mode == PIX_PAD_ZERO;
    int dy = ty * block->row.in_tap, dx = tx * block->column.in_tap, met = 0;
    ptrdiff_t shift = ((ptrdiff_t)dy * x->w + dx) * x->pixel;
    for (int i = 0; i < block->count; i++) {
        const CpuPixel *p = &block->pixels[i];
        bool inside =
            (unsigned)(p->y + dy) < (unsigned)x->h && (unsigned)(p->x + dx) < (unsigned)x->w;
        from[i] = inside ? x->data + (p->in + shift) : zero ? NULL : meet(block, p, dy, dx);
        met += from[i] != NULL;
    }
    return met;
}

/* One row of taps of one pixel, which are neighbours in memory where no border is near. */
static void gather_row(const CpuPixelBlock *block, const CpuPixel *p, int dy, float *to)
{
    const CpuView *x = &block->conv->x;
    int taps = block->column.taps, step = block->column.in_tap, c = x->c;
    bool inside = (unsigned)(p->y + dy) < (unsigned)x->h && p->x >= 0 && p->x + taps <= x->w;
    if (inside && step == 1 && x->pixel == c) {
        cpu_copy_input(block->conv, to, x->data + (p->in + (ptrdiff_t)dy * x->w * c), taps * c);
        return;
    }
    for (int tx = 0; tx < taps; tx++) {
        const float *from = meet(block, p, dy, tx * step);
        if (from)
            cpu_copy_input(block->conv, to + tx * c, from, c);
        else
            memset(to + tx * c, block->conv->units ? block->conv->units->padding : 0,
                   (size_t)c * sizeof *to);
    }
}

void cpu_gather_taps(const CpuPixelBlock *block, float *to, int pitch)
{
    int width = block->column.taps * block->conv->x.c;
    for (int i = 0; i < block->count; i++)
        for (int ty = 0; ty < block->row.taps; ty++)
            gather_row(block, &block->pixels[i], ty * block->row.in_tap,
                       to + (ptrdiff_t)i * pitch + ty * width);
}
