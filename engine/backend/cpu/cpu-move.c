/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The ops that move pixels: padding, concatenation, addition, upsampling. Backward every pixel of
 * the input gathers what its copies got, so that no two tasks write one place.
 */
#include <string.h>

#include "cpu-private.h"

typedef struct {
    const PixOp *op;
    CpuView x, x1, y; /* of the op, or their gradients */
    bool adds;
} Move;

/* ---- padding ---- */

static void pad_pixels(const void *data, int first, int last)
{
    const Move *m = data;
    const PixPadding *pad = &m->op->pad;
    for (ptrdiff_t i = first; i < last; i++) {
        int ox = (int)(i % m->y.w), oy = (int)(i / m->y.w % m->y.h);
        ptrdiff_t n = i / m->y.w / m->y.h;
        int iy = cpu_padded_index(oy - pad->top, m->x.h, pad->mode);
        int ix = cpu_padded_index(ox - pad->left, m->x.w, pad->mode);
        float *y = m->y.data + i * m->y.pixel;
        if (iy < 0 || ix < 0)
            memset(y, 0, (size_t)m->x.c * sizeof *y);
        else
            memcpy(y, m->x.data + ((n * m->x.h + iy) * m->x.w + ix) * m->x.pixel,
                   (size_t)m->x.c * sizeof *y);
    }
}

void cpu_pad_forward(PixDevice *device, const PixCall *call)
{
    Move m = {.op = call->op, .x = cpu_view(&call->in[0]), .y = cpu_view(&call->out)};
    cpu_pixels(device, m.y, pad_pixels, &m);
}

/* Rows or columns of the padded map, none where first > last. */
typedef struct {
    int first, last;
} Span;

/* Where row or column @i of a map goes: to itself, and into the padding before and after it. */
static void spread(int i, int side, int before, int after, PixPadMode mode, Span spans[3])
{
    const Span none = {0, -1};
    int left = -i, right = 2 * (side - 1) - i;
    spans[0] = (Span){i + before, i + before};
    spans[1] = spans[2] = none;
    if (mode == PIX_PAD_REFLECT) {
        if (i > 0 && left >= -before)
            spans[1] = (Span){left + before, left + before};
        if (i < side - 1 && right < side + after)
            spans[2] = (Span){right + before, right + before};
    } else if (mode == PIX_PAD_REPLICATE) {
        if (i == 0)
            spans[1] = (Span){0, before - 1};
        if (i == side - 1)
            spans[2] = (Span){before + side, before + side + after - 1};
    }
}

static void gather(const Move *m, ptrdiff_t n, const Span rows[3], const Span columns[3], float *dx)
{
    bool adds = m->adds;
    for (int r = 0; r < 3; r++)
        for (int oy = rows[r].first; oy <= rows[r].last; oy++)
            for (int s = 0; s < 3; s++)
                for (int ox = columns[s].first; ox <= columns[s].last; ox++) {
                    cpu_put_pixel(m->y.data + ((n * m->y.h + oy) * m->y.w + ox) * m->y.pixel, dx,
                                  m->x.c, adds);
                    adds = true;
                }
}

static void unpad_pixels(const void *data, int first, int last)
{
    const Move *m = data;
    const PixPadding *pad = &m->op->pad;
    for (ptrdiff_t i = first; i < last; i++) {
        int ix = (int)(i % m->x.w), iy = (int)(i / m->x.w % m->x.h);
        Span rows[3], columns[3];
        spread(iy, m->x.h, pad->top, pad->bottom, pad->mode, rows);
        spread(ix, m->x.w, pad->left, pad->right, pad->mode, columns);
        gather(m, i / m->x.w / m->x.h, rows, columns, m->x.data + i * m->x.pixel);
    }
}

static void gather_all(PixDevice *device, const PixCall *call, CpuPixels run)
{
    Move m = {.op = call->op,
              .x = cpu_view(&call->din[0]),
              .y = cpu_view(&call->dout),
              .adds = call->din_adds[0]};
    if (m.x.data)
        cpu_pixels(device, m.x, run, &m);
}

void cpu_pad_backward(PixDevice *device, const PixCall *call)
{
    gather_all(device, call, unpad_pixels);
}

/* ---- concatenation: the plan lets producers write their parts at once wherever it can ---- */

static PixTensor part_of(PixTensor whole, int c_first, int c)
{
    whole.c_first += c_first;
    whole.shape.c = c;
    return whole;
}

void cpu_concat_forward(PixDevice *device, const PixCall *call)
{
    for (int i = 0; i < 2; i++) {
        PixTensor part = part_of(call->out, i ? call->in[0].shape.c : 0, call->in[i].shape.c);
        cpu_put(device, cpu_view(&call->in[i]), cpu_view(&part), false);
    }
}

void cpu_concat_backward(PixDevice *device, const PixCall *call)
{
    for (int i = 0; i < 2; i++) {
        PixTensor part = part_of(call->dout, i ? call->in[0].shape.c : 0, call->in[i].shape.c);
        if (call->din[i].buffer)
            cpu_put(device, cpu_view(&part), cpu_view(&call->din[i]), call->din_adds[i]);
    }
}

/* ---- addition ---- */

static void add_pixels(const void *data, int first, int last)
{
    const Move *m = data;
    for (ptrdiff_t i = first; i < last; i++) {
        const float *x0 = m->x.data + i * m->x.pixel, *x1 = m->x1.data + i * m->x1.pixel;
        float *y = m->y.data + i * m->y.pixel;
        for (int c = 0; c < m->y.c; c++)
            y[c] = x0[c] + x1[c];
    }
}

void cpu_add_forward(PixDevice *device, const PixCall *call)
{
    Move m = {.x = cpu_view(&call->in[0]), .x1 = cpu_view(&call->in[1]), .y = cpu_view(&call->out)};
    cpu_pixels(device, m.y, add_pixels, &m);
}

void cpu_add_backward(PixDevice *device, const PixCall *call)
{
    for (int i = 0; i < 2; i++)
        if (call->din[i].buffer)
            cpu_put(device, cpu_view(&call->dout), cpu_view(&call->din[i]), call->din_adds[i]);
}

/* ---- upsampling ---- */

static void upsample_pixels(const void *data, int first, int last)
{
    const Move *m = data;
    int factor = m->op->factor;
    for (ptrdiff_t i = first; i < last; i++) {
        ptrdiff_t ix = i % m->y.w / factor, iy = i / m->y.w % m->y.h / factor;
        ptrdiff_t n = i / m->y.w / m->y.h;
        memcpy(m->y.data + i * m->y.pixel,
               m->x.data + ((n * m->x.h + iy) * m->x.w + ix) * m->x.pixel,
               (size_t)m->x.c * sizeof(float));
    }
}

void cpu_upsample_forward(PixDevice *device, const PixCall *call)
{
    Move m = {.op = call->op, .x = cpu_view(&call->in[0]), .y = cpu_view(&call->out)};
    cpu_pixels(device, m.y, upsample_pixels, &m);
}

static void downsample_pixels(const void *data, int first, int last)
{
    const Move *m = data;
    int factor = m->op->factor;
    const Span none = {0, -1};
    for (ptrdiff_t i = first; i < last; i++) {
        int ix = (int)(i % m->x.w) * factor, iy = (int)(i / m->x.w % m->x.h) * factor;
        Span rows[3] = {{iy, iy + factor - 1}, none, none};
        Span columns[3] = {{ix, ix + factor - 1}, none, none};
        gather(m, i / m->x.w / m->x.h, rows, columns, m->x.data + i * m->x.pixel);
    }
}

void cpu_upsample_backward(PixDevice *device, const PixCall *call)
{
    gather_all(device, call, downsample_pixels);
}
