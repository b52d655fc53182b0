/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fenced.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GUARD 12344.f /* in any format */

/* Every other one is NaN, as whoever reads it will be; who writes NaN spares the others. */
static float guard(size_t i)
{
    return i % 2 ? GUARD : NAN;
}

static bool is_guard(float value, size_t i)
{
    return i % 2 ? value == GUARD : isnan(value);
}

/* All channels of the memory before (0), of the tensor (1) or of the memory after it (2). */
static PixTensor whole(const Fenced *f, size_t which)
{
    PixTensor t = f->tensor;
    t.offset += which * f->bytes;
    t.offset -= f->bytes;
    t.shape.c = t.c_whole;
    t.c_first = 0;
    return t;
}

/* 1 where there is none before. */
static size_t first_part(const Fenced *f)
{
    return f->tensor.offset == 0 ? 1 : 0;
}

static size_t aligned(const PixDevice *device, size_t bytes)
{
    size_t alignment = device->backend->alignment;
    return (bytes + alignment - 1) / alignment * alignment;
}

/* Without a place yet. */
static Fenced fenced_of(const PixDevice *device, PixShape shape, int beside, PixDtype dtype)
{
    PixShape all = shape;
    all.c += 2 * beside;
    size_t bytes = aligned(device, device->backend->activation_bytes(device, all, dtype));
    PixTensor tensor = {shape, NULL, 0, beside, all.c, dtype};
    return (Fenced){tensor, pix_shape_count(shape), bytes, false};
}

static void place(PixDevice *device, Fenced *f, PixBuffer *buffer, size_t offset)
{
    PixTensor t = whole(f, 1);
    size_t count = pix_shape_count(t.shape);
    g_autofree float *values = g_new(float, count), *none = g_new(float, f->count);
    assert_non_null(buffer);
    f->tensor.buffer = buffer;
    f->tensor.offset = offset;
    for (size_t i = 0; i < count; i++)
        values[i] = guard(i);
    for (size_t i = first_part(f); i < 3; i++) {
        t = whole(f, i);
        assert_true(device->backend->write(device, &t, values, NULL));
    }
    for (size_t i = 0; i < f->count; i++)
        none[i] = NAN;
    fenced_write(device, f, none);
}

Fenced fenced_new_map(PixDevice *device, PixShape shape, int beside, PixDtype dtype)
{
    Fenced f = fenced_of(device, shape, beside, dtype);
    f.owns = true;
    place(device, &f, device->backend->buffer_new(device, 3 * f.bytes, NULL), f.bytes);
    return f;
}

Fenced fenced_new(PixDevice *device, PixShape shape, int beside)
{
    return fenced_new_map(device, shape, beside, PIX_DTYPE_F32);
}

static PixShape floats_of(size_t bytes)
{
    return (PixShape){1, (int)((bytes + sizeof(float) - 1) / sizeof(float)), 1, 1};
}

Fenced fenced_new_weight(PixDevice *device, const PixOp *op, const int dims[4], PixDtype dtype)
{
    size_t bytes = device->backend->weight_bytes(device, op, dims, dtype);
    return fenced_new(device, floats_of(bytes), 0);
}

Fenced fenced_new_scratch(PixDevice *device, size_t bytes)
{
    Fenced f = fenced_of(device, floats_of(MAX(bytes, 1)), 0, PIX_DTYPE_F32);
    f.owns = true;
    place(device, &f, device->backend->buffer_new(device, 2 * f.bytes, NULL), 0);
    return f;
}

void fenced_new_row(PixDevice *device, const PixShape *shapes, size_t n, Fenced *row)
{
    size_t bytes = 0, offset = 0;
    for (size_t i = 0; i < n; i++) {
        row[i] = shapes[i].n > 0 ? fenced_of(device, shapes[i], 0, PIX_DTYPE_F32) : (Fenced){0};
        row[i].owns = bytes == 0 && row[i].count > 0;
        bytes += 3 * row[i].bytes;
    }
    PixBuffer *buffer = bytes > 0 ? device->backend->buffer_new(device, bytes, NULL) : NULL;
    for (size_t i = 0; i < n; offset += 3 * row[i++].bytes)
        if (row[i].count > 0)
            place(device, &row[i], buffer, offset + row[i].bytes);
}

void fenced_clear(PixDevice *device, Fenced *f)
{
    if (f->owns)
        device->backend->buffer_free(device, f->tensor.buffer);
    *f = (Fenced){0};
}

void fenced_write(PixDevice *device, const Fenced *f, const float *values)
{
    assert_true(device->backend->write(device, &f->tensor, values, NULL));
}

static void check(PixDevice *device, const Fenced *f)
{
    size_t count = pix_shape_count(whole(f, 1).shape);
    size_t plane = (size_t)f->tensor.shape.h * (size_t)f->tensor.shape.w;
    int first = f->tensor.c_first, end = first + f->tensor.shape.c;
    g_autofree float *values = g_new(float, count);
    for (size_t part = first_part(f); part < 3; part++) {
        PixTensor t = whole(f, part);
        assert_true(device->backend->read(device, &t, values, NULL));
        for (size_t i = 0; i < count; i++) {
            int c = (int)(i / plane % (size_t)t.c_whole);
            bool within = part == 1 && c >= first && c < end;
            if (!within && !is_guard(values[i], i))
                fail_msg("memory beside a tensor was written");
        }
    }
}

float *fenced_read(PixDevice *device, const Fenced *f)
{
    float *values = g_new(float, f->count);
    assert_true(device->backend->read(device, &f->tensor, values, NULL));
    check(device, f);
    return values;
}

void fenced_end(PixDevice *device, Fenced *f)
{
    check(device, f);
    fenced_clear(device, f);
}

int open_level(void **state)
{
    *state = level_open(*state);
    return *state ? 0 : -1;
}

int close_device(void **state)
{
    pix_device_unref(*state);
    return 0;
}
