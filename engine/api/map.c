/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "map.h"

#include "error.h"

PixMap *pix_map_new(PixDevice *device, const int dims[4], GError **error)
{
    g_return_val_if_fail(device && dims, NULL);
    PixShape shape = {dims[0], dims[1], dims[2], dims[3]};
    if (!pix_shape_valid(shape)) {
        pix_fail(error, PIX_ERROR_BAD_SHAPE, "a map of %dx%dx%dx%d is empty or too large", shape.n,
                 shape.c, shape.h, shape.w);
        return NULL;
    }
    PixBuffer *buffer = device->backend->buffer_new(
        device, device->backend->activation_bytes(device, shape, PIX_DTYPE_F32), error);
    if (!buffer)
        return NULL;
    PixMap *map = g_new(PixMap, 1);
    *map = (PixMap){.device = pix_device_ref(device),
                    .tensor = {.shape = shape, .buffer = buffer, .c_whole = shape.c},
                    .own = buffer};
    return map;
}

void pix_map_free(PixMap *map)
{
    if (!map)
        return;
    g_return_if_fail(map->own);
    map->device->backend->buffer_free(map->device, map->own);
    pix_device_unref(map->device);
    g_free(map);
}

void pix_map_get_dims(const PixMap *map, int dims[4])
{
    g_return_if_fail(map && dims);
    PixShape shape = map->tensor.shape;
    dims[0] = shape.n;
    dims[1] = shape.c;
    dims[2] = shape.h;
    dims[3] = shape.w;
}

gboolean pix_map_write(PixMap *map, const float *values, GError **error)
{
    g_return_val_if_fail(map && values, FALSE);
    return map->device->backend->write(map->device, &map->tensor, values, error);
}

gboolean pix_map_read(const PixMap *map, float *values, GError **error)
{
    g_return_val_if_fail(map && values, FALSE);
    return map->device->backend->read(map->device, &map->tensor, values, error);
}

static bool has_channels(PixShape shape, int first, int count)
{
    return first >= 0 && count >= 1 && count <= shape.c && first <= shape.c - count;
}

static PixTensor slice(const PixTensor *tensor, int first, int count)
{
    PixTensor part = *tensor;
    part.c_first += first;
    part.shape.c = count;
    return part;
}

void pix_map_copy(const PixMap *from, int from_first, PixMap *to, int to_first, int channels)
{
    g_return_if_fail(from && to && from->device == to->device);
    g_return_if_fail(has_channels(from->tensor.shape, from_first, channels));
    g_return_if_fail(has_channels(to->tensor.shape, to_first, channels));
    PixTensor source = slice(&from->tensor, from_first, channels);
    PixTensor target = slice(&to->tensor, to_first, channels);
    g_return_if_fail(pix_shape_equal(source.shape, target.shape));
    from->device->backend->copy(from->device, &source, &target);
}
