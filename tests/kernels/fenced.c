/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fenced.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GUARD 12345.f

static void fill(PixDevice *device, PixTensor tensor, float value)
{
    size_t count = pix_shape_count(tensor.shape);
    g_autofree float *values = g_new(float, count);
    for (size_t i = 0; i < count; i++)
        values[i] = value;
    assert_true(device->backend->write(device, &tensor, values, NULL));
}

/* All channels of the tensor before (0), of the tensor (1) or of the one after it (2). */
static PixTensor whole(const Fenced *f, size_t which)
{
    PixTensor t = f->tensor;
    t.offset += which * f->bytes;
    t.offset -= f->bytes;
    t.shape.c = t.c_whole;
    t.c_first = 0;
    return t;
}

/* Without a place yet. */
static Fenced fenced_of(const PixDevice *device, PixShape shape, int beside)
{
    const PixBackend *backend = device->backend;
    PixShape all = shape;
    all.c += 2 * beside;
    size_t bytes = backend->activation_bytes(device, all, PIX_DTYPE_F32);
    bytes = (bytes + backend->alignment - 1) / backend->alignment * backend->alignment;
    return (Fenced){{shape, NULL, 0, beside, all.c}, pix_shape_count(shape), bytes, false};
}

static void place(PixDevice *device, Fenced *f, PixBuffer *buffer, size_t offset)
{
    f->tensor.buffer = buffer;
    f->tensor.offset = offset + f->bytes;
    for (size_t i = 0; i < 3; i++)
        fill(device, whole(f, i), GUARD);
    fill(device, f->tensor, NAN);
}

Fenced fenced_new(PixDevice *device, PixShape shape, int beside)
{
    Fenced f = fenced_of(device, shape, beside);
    f.owns = true;
    place(device, &f, device->backend->buffer_new(device, 3 * f.bytes, NULL), 0);
    return f;
}

void fenced_new_row(PixDevice *device, const PixShape *shapes, size_t n, Fenced *row)
{
    size_t bytes = 0, offset = 0;
    for (size_t i = 0; i < n; i++) {
        row[i] = shapes[i].n > 0 ? fenced_of(device, shapes[i], 0) : (Fenced){0};
        row[i].owns = bytes == 0 && row[i].count > 0;
        bytes += 3 * row[i].bytes;
    }
    PixBuffer *buffer = bytes > 0 ? device->backend->buffer_new(device, bytes, NULL) : NULL;
    for (size_t i = 0; i < n; offset += 3 * row[i++].bytes)
        if (row[i].count > 0)
            place(device, &row[i], buffer, offset);
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

static void check(PixDevice *device, PixTensor part, int c_first, int c)
{
    part.c_first = c_first;
    part.shape.c = c;
    size_t count = pix_shape_count(part.shape);
    g_autofree float *values = g_new(float, count + 1);
    assert_true(device->backend->read(device, &part, values, NULL));
    for (size_t i = 0; i < count; i++)
        if (values[i] != GUARD)
            fail_msg("memory beside a tensor was written");
}

float *fenced_read(PixDevice *device, const Fenced *f)
{
    float *values = g_new(float, f->count);
    int end = f->tensor.c_first + f->tensor.shape.c;
    assert_true(device->backend->read(device, &f->tensor, values, NULL));
    check(device, whole(f, 0), 0, f->tensor.c_whole);
    check(device, whole(f, 2), 0, f->tensor.c_whole);
    check(device, f->tensor, 0, f->tensor.c_first);
    check(device, f->tensor, end, f->tensor.c_whole - end);
    return values;
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
