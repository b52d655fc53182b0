/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu-norm.h"

/* Pixels of a block, which stays in the cache while all of its channels are summed. */
#define BLOCK 32
/* The most pieces of a group, and the fewest floats that are worth one. */
#define PIECES 32
#define PIECE_FLOATS 16384

CpuNorm cpu_norm_of(PixDevice *device, const PixCall *call)
{
    PixShape s = call->in[0].shape;
    CpuNorm norm = {.device = device, .call = call, .c = s.c};
    norm.groups = call->op->norm.kind == PIX_NORM_INSTANCE ? s.n : 1;
    norm.pixels = s.n * s.h * s.w / norm.groups;
    norm.pieces = (int)MIN((size_t)norm.pixels * (size_t)s.c / PIECE_FLOATS + 1, PIECES);
    if (!call->scratch)
        return norm;
    ptrdiff_t count = (ptrdiff_t)norm.groups * s.c;
    norm.parts = (CpuSum *)call->scratch->data;
    CpuSum *sums = norm.parts + count * norm.pieces;
    for (int i = 0; i < 3; i++, sums += count)
        norm.sums[i] = sums;
    float *floats = (float *)sums;
    for (int i = 0; i < 4; i++, floats += count)
        norm.factor[i] = floats;
    bool saved = call->saved[0].buffer;
    norm.mean = saved ? cpu_view(&call->saved[0]).data : floats;
    norm.rstd = saved ? cpu_view(&call->saved[1]).data : floats + count;
    return norm;
}

size_t cpu_norm_scratch(const PixDevice *device, const PixCall *call)
{
    PixCall shapes = *call;
    shapes.scratch = NULL;
    CpuNorm norm = cpu_norm_of(NULL, &shapes);
    size_t each = (size_t)(norm.pieces + 3) * sizeof(CpuSum) + 6 * sizeof(float);
    return (size_t)norm.groups * (size_t)norm.c * each;
}

typedef struct {
    const CpuNorm *norm;
    CpuView v, x;
    CpuPixels prepare;
    const void *data;
} Sum;

static void sum_piece(void *data, int task, int worker)
{
    const Sum *s = data;
    const CpuNorm *norm = s->norm;
    const CpuMicro *micro = cpu_device(norm->device)->micro;
    int group = task / norm->pieces, piece = task % norm->pieces;
    int first = (int)((gint64)norm->pixels * piece / norm->pieces) + group * norm->pixels;
    int last = (int)((gint64)norm->pixels * (piece + 1) / norm->pieces) + group * norm->pixels;
    CpuSum *sums = norm->parts + (ptrdiff_t)task * norm->c;
    for (int c = 0; c < norm->c; c++)
        sums[c] = (CpuSum){0};
    for (; first < last; first += BLOCK) {
        int pixels = MIN(BLOCK, last - first);
        if (s->prepare)
            s->prepare(s->data, first, first + pixels);
        micro->sum(s->v.data + first * s->v.pixel, s->v.pixel, s->x.data + first * s->x.pixel,
                   s->x.pixel, pixels, norm->c, sums);
    }
}

void cpu_norm_sum(const CpuNorm *norm, CpuView v, CpuView x, CpuSum *sums, CpuPixels prepare,
                  const void *data)
{
    Sum s = {norm, v, x, prepare, data};
    cpu_parallel(cpu_device(norm->device)->pool, norm->groups * norm->pieces, sum_piece, &s);
    for (int group = 0; group < norm->groups; group++)
        for (int c = 0; c < norm->c; c++) {
            const CpuSum *part = norm->parts + (ptrdiff_t)group * norm->pieces * norm->c + c;
            CpuSum total = {0};
            for (int piece = 0; piece < norm->pieces; piece++, part += norm->c) {
                total.v += part->v;
                total.vx += part->vx;
            }
            sums[(ptrdiff_t)group * norm->c + c] = total;
        }
}
