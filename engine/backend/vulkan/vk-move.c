/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Numbers to and from the order in which the GPU keeps them. */
#include "error.h"
#include "vk-ops.h"

size_t vk_activation_bytes(const PixDevice *device, PixShape shape, PixDtype dtype)
{
    return pix_shape_count(shape) * pix_dtype_bytes(dtype);
}

static size_t weight_count(const int dims[4])
{
    return (size_t)dims[0] * dims[1] * dims[2] * dims[3];
}

size_t vk_weight_bytes(const PixDevice *device, const PixOp *op, const int dims[4], PixDtype dtype)
{
    return weight_count(dims) * pix_dtype_bytes(dtype);
}

static void *try_alloc(const PixDevice *device, size_t count, size_t element_bytes, GError **error)
{
    void *block = g_try_malloc_n(MAX(count, 1), element_bytes);
    if (!block)
        pix_fail(error, PIX_ERROR_NO_MEMORY,
                 "%s: %zu MiB of the processor's memory are not to be had; use a smaller size or a "
                 "smaller network",
                 device->info.name, count * element_bytes >> 20);
    return block;
}

/* ---- the whole tensor, as it lies ---- */

static bool upload(PixDevice *device, const PixTensor *tensor, const float *values, size_t count,
                   GError **error)
{
    size_t bytes = count * pix_dtype_bytes(tensor->dtype);
    g_autofree char *stored = try_alloc(device, bytes, 1, error);
    if (!stored)
        return false;
    pix_dtype_from_floats(tensor->dtype, values, stored, count);
    return vk_upload(device, tensor->buffer, tensor->offset, stored, bytes, error);
}

static bool download(PixDevice *device, const PixTensor *tensor, float *values, size_t count,
                     GError **error)
{
    size_t bytes = count * pix_dtype_bytes(tensor->dtype);
    g_autofree char *stored = try_alloc(device, bytes, 1, error);
    if (!stored || !vk_download(device, tensor->buffer, tensor->offset, stored, bytes, error))
        return false;
    pix_dtype_to_floats(tensor->dtype, stored, values, count);
    return true;
}

/* ---- maps ---- */

static size_t whole_count(const PixTensor *tensor)
{
    PixShape shape = tensor->shape;
    shape.c = tensor->c_whole;
    return pix_shape_count(shape);
}

/* Between NCHW and the tensor's part of @whole. */
static void reorder(const PixTensor *tensor, float *whole, float *values, bool write)
{
    const PixShape *s = &tensor->shape;
    size_t pixels = (size_t)s->h * s->w;
    for (int n = 0; n < s->n; n++)
        for (int c = 0; c < s->c; c++)
            for (size_t i = 0; i < pixels; i++, values++) {
                float *at = whole + (n * pixels + i) * tensor->c_whole + tensor->c_first + c;
                if (write)
                    *at = *values;
                else
                    *values = *at;
            }
}

bool vk_write(PixDevice *device, const PixTensor *tensor, const float *values, GError **error)
{
    size_t count = whole_count(tensor);
    g_autofree float *whole = try_alloc(device, count, sizeof *whole, error);
    if (!whole)
        return false;
    /* Channels of others are in between. */
    if (tensor->shape.c < tensor->c_whole && !download(device, tensor, whole, count, error))
        return false;
    reorder(tensor, whole, (float *)values, true);
    return upload(device, tensor, whole, count, error);
}

bool vk_read(PixDevice *device, const PixTensor *tensor, float *values, GError **error)
{
    size_t count = whole_count(tensor);
    g_autofree float *whole = try_alloc(device, count, sizeof *whole, error);
    if (!whole || !download(device, tensor, whole, count, error))
        return false;
    reorder(tensor, whole, values, false);
    return true;
}

/* ---- weights ---- */

/* Between PyTorch's order, (oc, c, kh, kw) or of DECONV (c, oc, kh, kw), and (kh, kw, c, oc). */
static void reorder_weight(const PixOp *op, const int dims[4], float *packed, float *values,
                           bool write)
{
    bool deconv = op->kind == PIX_OP_DECONV;
    size_t taps = (size_t)dims[2] * dims[3], matrix = (size_t)dims[0] * dims[1];
    size_t step0 = deconv ? (size_t)dims[1] : 1, step1 = deconv ? 1 : (size_t)dims[0];
    for (int i = 0; i < dims[0]; i++)
        for (int j = 0; j < dims[1]; j++)
            for (size_t tap = 0; tap < taps; tap++, values++) {
                float *at = packed + tap * matrix + i * step0 + j * step1;
                if (write)
                    *at = *values;
                else
                    *values = *at;
            }
}

bool vk_write_weight(PixDevice *device, const PixTensor *tensor, const PixOp *op, const int dims[4],
                     const float *values, GError **error)
{
    size_t count = weight_count(dims);
    g_autofree float *packed = try_alloc(device, count, sizeof *packed, error);
    if (!packed)
        return false;
    reorder_weight(op, dims, packed, (float *)values, true);
    return upload(device, tensor, packed, count, error);
}

bool vk_read_weight(PixDevice *device, const PixTensor *tensor, const PixOp *op, const int dims[4],
                    float *values, GError **error)
{
    size_t count = weight_count(dims);
    g_autofree float *packed = try_alloc(device, count, sizeof *packed, error);
    if (!packed || !download(device, tensor, packed, count, error))
        return false;
    reorder_weight(op, dims, packed, values, false);
    return true;
}
