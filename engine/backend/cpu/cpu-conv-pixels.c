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

static int meet_mirrored(const CpuPixelBlock *block, int dy, int dx, const float **from)
{
    const CpuView *x = &block->conv->x;
    PixPadMode mode = block->conv->op.conv.pad.mode;
    for (int i = 0; i < block->count; i++) {
        const CpuPixel *p = &block->pixels[i];
        ptrdiff_t iy = cpu_padded_index(p->y + dy, x->h, mode);
        ptrdiff_t ix = cpu_padded_index(p->x + dx, x->w, mode);
        from[i] = x->data + (((ptrdiff_t)p->n * x->h + iy) * x->w + ix) * x->pixel;
    }
    return block->count;
}

int cpu_meet(const CpuPixelBlock *block, int ty, int tx, const float **from)
{
    const CpuView *x = &block->conv->x;
    int dy = ty * block->row.in_tap, dx = tx * block->column.in_tap, met = 0;
    if (block->conv->op.conv.pad.mode != PIX_PAD_ZERO)
        return meet_mirrored(block, dy, dx, from);
    ptrdiff_t shift = ((ptrdiff_t)dy * x->w + dx) * x->pixel;
    for (int i = 0; i < block->count; i++) {
        const CpuPixel *p = &block->pixels[i];
        bool meets =
            (unsigned)(p->y + dy) < (unsigned)x->h && (unsigned)(p->x + dx) < (unsigned)x->w;
        from[i] = meets ? x->data + (p->in + shift) : NULL;
        met += meets;
    }
    return met;
}
