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
    block->count = 0;
    for (size_t i = first; i < last; i++) {
        int n = (int)(i / each), row = (int)(i % each / width), column = (int)(i % width);
        ptrdiff_t oy = rows->first + row * rows->step;
        ptrdiff_t ox = columns->first + column * columns->step;
        block->pixels[block->count++] =
            (CpuPixel){.sample = x->data + (ptrdiff_t)n * x->h * x->w * x->pixel,
                       .y = row * rows->in_step + rows->in_first,
                       .x = column * columns->in_step + columns->in_first,
                       .out = y->data + (((ptrdiff_t)n * y->h + oy) * y->w + ox) * y->pixel};
    }
}

int cpu_meet(const CpuPixelBlock *block, int ty, int tx, const float **from)
{
    const CpuView *x = &block->conv->x;
    PixPadMode mode = block->conv->op.conv.pad.mode;
    int met = 0;
    for (int i = 0; i < block->count; i++) {
        const CpuPixel *pixel = &block->pixels[i];
        int iy = cpu_padded_index(pixel->y + ty * block->row.in_tap, x->h, mode);
        int ix = cpu_padded_index(pixel->x + tx * block->column.in_tap, x->w, mode);
        bool meets = iy >= 0 && ix >= 0;
        from[i] = meets ? pixel->sample + ((ptrdiff_t)iy * x->w + ix) * x->pixel : NULL;
        met += meets;
    }
    return met;
}
