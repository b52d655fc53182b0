/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Single tensors in safetensors files: how networks are fed and compared from outside. */
#include <pix2pix/pix.h>
#include <string.h>

#include "container.h"
#include "error.h"
#include "reader.h"
#include "safetensors.h"
#include "shape.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PixContainer, pix_container_free)

/** Returns: (nullable): the tensor @name, if its shape is one that a network could take. */
static const PixEntry *find_tensor(const PixContainer *container, const char *name, int dims[4],
                                   GError **error)
{
    const char *file = pix_container_get_label(container);
    const PixEntry *entry = pix_container_find(container, "", name);
    if (!entry) {
        pix_fail(error, PIX_ERROR_BAD_CHECKPOINT, "%s: has no tensor %s among its %u tensors", file,
                 name, pix_container_get_n_entries(container));
        return NULL;
    }
    bool good = entry->rank <= 4;
    for (int i = 0; i < 4; i++)
        dims[i] = 1;
    for (int i = 0; good && i < entry->rank; i++) {
        good = entry->dims[i] >= 1 && entry->dims[i] <= PIX_MAX_SIDE;
        dims[4 - entry->rank + i] = good ? (int)entry->dims[i] : 1;
    }
    if (good && pix_shape_valid((PixShape){dims[0], dims[1], dims[2], dims[3]}))
        return entry;
    pix_fail(error, PIX_ERROR_BAD_SHAPE,
             "%s: tensor %s is not one of at most four dimensions, each from 1 to %d", file, name,
             PIX_MAX_SIDE);
    return NULL;
}

float *pix_tensor_read(const char *file, const char *name, int dims[4], GError **error)
{
    g_return_val_if_fail(file && name && dims, NULL);
    g_return_val_if_fail(!error || !*error, NULL);
    g_autoptr(PixContainer) container = pix_container_open(file, error);
    if (!container)
        return NULL;
    if (strcmp(pix_container_get_format(container), "safetensors")) {
        pix_fail(error, PIX_ERROR_UNSUPPORTED, "%s: is a %s file; a safetensors file is needed",
                 file, pix_container_get_format(container));
        return NULL;
    }
    const PixEntry *entry = find_tensor(container, name, dims, error);
    if (!entry)
        return NULL;
    g_autofree float *values = pix_try_alloc(entry->count, sizeof(float), error);
    if (!values) {
        g_prefix_error(error, "%s: ", file);
        return NULL;
    }
    if (!pix_container_read(container, entry, values, error))
        return NULL;
    return g_steal_pointer(&values);
}

typedef struct {
    const float *values;
    size_t count;
} Tensor;

static bool fill(gpointer user_data, guint index, void *bytes, GError **error)
{
    const Tensor *tensor = user_data;
    pix_dtype_from_floats(PIX_DTYPE_F32, tensor->values, bytes, tensor->count);
    return true;
}

gboolean pix_tensor_write(const char *file, const char *name, const float *values,
                          const int dims[4], GError **error)
{
    g_return_val_if_fail(file && name && values && dims, FALSE);
    g_return_val_if_fail(!error || !*error, FALSE);
    PixShape shape = {dims[0], dims[1], dims[2], dims[3]};
    g_return_val_if_fail(pix_shape_valid(shape), FALSE);
    PixTensorSource source = {.name = name, .dtype = PIX_DTYPE_F32, .rank = 4};
    for (int i = 0; i < 4; i++)
        source.dims[i] = (guint64)dims[i];
    Tensor tensor = {values, pix_shape_count(shape)};
    return pix_safetensors_write(file, &source, 1, NULL, fill, &tensor, error);
}
