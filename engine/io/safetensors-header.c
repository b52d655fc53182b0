/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "safetensors-header.h"

#include "checked.h"
#include "container-private.h"
#include "error.h"
#include "json.h"

#include <string.h>

G_STATIC_ASSERT(G_N_ELEMENTS(((PixHeaderTensor *)0)->dims) == PIX_MAX_RANK);

static bool take_dtype(PixJson *json, PixHeaderTensor *tensor)
{
    if (!pix_json_string(json))
        return false;
    for (int i = 0; i < PIX_DTYPE_COUNT; i++)
        if (strcmp(json->string->str, pix_dtype_name((PixDtype)i)) == 0) {
            tensor->dtype = (PixDtype)i;
            return true;
        }
    g_autofree char *name = pix_printable(json->string->str, json->string->len);
    return pix_fail(json->error, PIX_ERROR_UNSUPPORTED,
                    "tensor %s has the unsupported dtype '%s'; save it as F32, F16 or BF16",
                    tensor->name, name);
}

/* The object after a tensor's name. */
static bool take_tensor(PixJson *json, PixHeaderTensor *tensor)
{
    static const char *const keys[] = {"dtype", "shape", "data_offsets"};
    guint64 offsets[2];
    unsigned seen = 0;
    int n_offsets = 0;
    bool more = true;
    if (!pix_json_take(json, '{'))
        return false;
    while (more) {
        unsigned key = 0;
        if (!pix_json_string(json))
            return false;
        while (key < G_N_ELEMENTS(keys) && strcmp(json->string->str, keys[key]) != 0)
            key++;
        if (key == G_N_ELEMENTS(keys))
            return pix_json_fail(json, "an unknown key in tensor %s", tensor->name);
        if (seen & 1u << key)
            return pix_json_fail(json, "tensor %s has \"%s\" twice", tensor->name, keys[key]);
        seen |= 1u << key;
        bool ok = pix_json_take(json, ':') &&
                  (key == 0   ? take_dtype(json, tensor)
                   : key == 1 ? pix_json_integers(json, tensor->dims, PIX_MAX_RANK, &tensor->rank)
                              : pix_json_integers(json, offsets, 2, &n_offsets)) &&
                  pix_json_separator(json, '}', &more);
        if (!ok)
            return false;
    }
    if (seen != 7 || n_offsets != 2)
        return pix_json_fail(json, "tensor %s lacks its dtype, shape or two offsets", tensor->name);
    tensor->begin = offsets[0];
    tensor->end = offsets[1];
    return true;
}

static bool take_metadata(PixJson *json, GHashTable *metadata)
{
    bool more = true;
    if (!pix_json_take(json, '{'))
        return false;
    if (pix_json_peek(json) == '}')
        return pix_json_take(json, '}');
    while (more) {
        if (g_hash_table_size(metadata) >= PIX_MAX_TENSORS)
            return pix_json_fail(json, "more than %d entries in __metadata__", PIX_MAX_TENSORS);
        if (!pix_json_string(json))
            return false;
        g_autofree char *key = g_strdup(json->string->str);
        if (!pix_json_take(json, ':') || !pix_json_string(json))
            return false;
        if (!g_hash_table_insert(metadata, g_steal_pointer(&key), g_strdup(json->string->str)))
            return pix_json_fail(json, "__metadata__ has a key twice");
        if (!pix_json_separator(json, '}', &more))
            return false;
    }
    return true;
}

/* The object's items, in the order of the text. */
static bool take_header(PixJson *json, GStringChunk *strings, GArray *tensors, GHashTable *metadata)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    bool more = true;
    if (!pix_json_take(json, '{'))
        return false;
    if (pix_json_peek(json) == '}')
        more = !pix_json_take(json, '}');
    while (more) {
        PixHeaderTensor tensor = {0};
        if (!pix_json_string(json))
            return false;
        if (!pix_name_is_good(json->string->str, json->string->len))
            return pix_json_fail(json, "a name of more than %d bytes or with control characters",
                                 PIX_MAX_NAME);
        tensor.name = g_string_chunk_insert(strings, json->string->str);
        if (!g_hash_table_add(names, (gpointer)tensor.name))
            return pix_json_fail(json, "the name '%s' is there twice", tensor.name);
        if (!pix_json_take(json, ':'))
            return false;
        if (strcmp(tensor.name, "__metadata__") == 0) {
            if (!take_metadata(json, metadata))
                return false;
        } else if (tensors->len >= PIX_MAX_TENSORS) {
            return pix_json_fail(json, "more than %d tensors", PIX_MAX_TENSORS);
        } else if (take_tensor(json, &tensor)) {
            g_array_append_val(tensors, tensor);
        } else {
            return false;
        }
        if (!pix_json_separator(json, '}', &more))
            return false;
    }
    return true;
}

static int by_offset(gconstpointer a, gconstpointer b)
{
    const PixHeaderTensor *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Tensors must fill the data without holes or overlaps: otherwise a file could say one thing to us
 * and another to somebody else. */
static bool check_extents(GArray *tensors, guint64 data_bytes, GError **error)
{
    guint64 end = 0;
    g_array_sort(tensors, by_offset);
    for (guint i = 0; i < tensors->len; i++) {
        PixHeaderTensor *tensor = &g_array_index(tensors, PixHeaderTensor, i);
        guint64 bytes;
        if (!pix_checked_product(tensor->dims, tensor->rank, &tensor->count) ||
            !pix_checked_mul(tensor->count, pix_dtype_bytes(tensor->dtype), &bytes))
            return pix_broken(error, "the shape of tensor %s is too large", tensor->name);
        if (tensor->end < tensor->begin || tensor->end - tensor->begin != bytes)
            return pix_broken(error,
                              "tensor %s needs %" G_GUINT64_FORMAT
                              " bytes, its offsets are %" G_GUINT64_FORMAT
                              " and %" G_GUINT64_FORMAT,
                              tensor->name, bytes, tensor->begin, tensor->end);
        if (tensor->begin != end)
            return pix_broken(error, "tensor %s %s the one before it", tensor->name,
                              tensor->begin < end ? "overlaps" : "leaves a hole after");
        end = tensor->end;
    }
    if (end != data_bytes)
        return pix_broken(error,
                          "its tensors need %" G_GUINT64_FORMAT
                          " bytes of data, the file has %" G_GUINT64_FORMAT "",
                          end, data_bytes);
    return true;
}

bool pix_safetensors_parse(const char *text, size_t size, guint64 data_bytes, GStringChunk *strings,
                           GArray *tensors, GHashTable *metadata, GError **error)
{
    PixJson json;
    bool ok = pix_json_init(&json, "safetensors header", text, size, error) &&
              take_header(&json, strings, tensors, metadata) && pix_json_end(&json);
    pix_json_clear(&json);
    return ok && check_extents(tensors, data_bytes, error);
}
