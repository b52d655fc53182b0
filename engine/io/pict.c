/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The .pict files of affinelayer's pix2pix-tensorflow (tools/export-checkpoint.py, read by its
 * browser demo): three chunks, each a big-endian length and that many bytes: a JSON list of names and
 * shapes, a codebook of 256 little-endian float32, and one code for every weight, the tensors one
 * after the other in the list's order. Kernels keep TensorFlow's order of dimensions. */
#include "checked.h"
#include "container-private.h"
#include "error.h"
#include "json.h"

#include <string.h>

#define CODES 256
#define MAX_LIST (16 * 1024 * 1024) /* bytes of the list of tensors */

typedef struct {
    guint8 codebook[CODES][4]; /* float32, little-endian, as in the file */
    guint64 codes;             /* where they start */
    GArray *offsets;           /* guint64: of each tensor's first code, from there */
} Pict;

/* The chunk at *@offset, which moves on to the next one. */
static bool next_chunk(const PixReader *reader, guint64 *offset, guint64 *start, guint64 *length,
                       GError **error)
{
    guint32 big;
    if (!pix_reader_read(reader, *offset, &big, sizeof big, error))
        return false;
    *start = *offset + sizeof big;
    *length = GUINT32_FROM_BE(big);
    if (!pix_checked_inside(*start, *length, reader->size))
        return pix_broken(error,
                          "it is cut off: a chunk of %" G_GUINT64_FORMAT
                          " bytes does not fit into the file",
                          *length);
    *offset = *start + *length;
    return true;
}

/* The object of one tensor. */
static bool take_tensor(PixJson *json, GStringChunk *strings, PixEntry *entry)
{
    bool more = true, seen_shape = false;
    if (!pix_json_take(json, '{'))
        return false;
    while (more) {
        if (!pix_json_string(json))
            return false;
        bool is_name = strcmp(json->string->str, "name") == 0;
        if (!is_name && strcmp(json->string->str, "shape") != 0)
            return pix_json_fail(json, "an unknown key");
        if (is_name ? entry->name != NULL : seen_shape)
            return pix_json_fail(json, "a key twice");
        if (!pix_json_take(json, ':'))
            return false;
        if (is_name) {
            if (!pix_json_string(json))
                return false;
            if (!pix_name_is_good(json->string->str, json->string->len))
                return pix_json_fail(
                    json, "a name of more than %d bytes or with control characters", PIX_MAX_NAME);
            entry->name = g_string_chunk_insert(strings, json->string->str);
        } else {
            if (!pix_json_integers(json, entry->dims, PIX_MAX_RANK, &entry->rank))
                return false;
            seen_shape = true;
        }
        if (!pix_json_separator(json, '}', &more))
            return false;
    }
    return (entry->name && seen_shape) || pix_json_fail(json, "a tensor without name or shape");
}

static bool take_tensors(PixJson *json, GStringChunk *strings, GArray *tensors)
{
    bool more = true;
    if (!pix_json_take(json, '['))
        return false;
    if (pix_json_peek(json) == ']')
        more = !pix_json_take(json, ']');
    while (more) {
        PixEntry entry = {.group = "", .dtype = PIX_DTYPE_F32};
        if (tensors->len >= PIX_MAX_TENSORS)
            return pix_json_fail(json, "more than %d tensors", PIX_MAX_TENSORS);
        if (!take_tensor(json, strings, &entry) || !pix_json_separator(json, ']', &more))
            return false;
        g_array_append_val(tensors, entry);
    }
    return pix_json_end(json);
}

static bool add_entries(PixContainer *container, GArray *tensors, guint64 n_codes, GError **error)
{
    Pict *state = container->state;
    guint64 end = 0;
    for (guint i = 0; i < tensors->len; i++) {
        PixEntry *entry = &g_array_index(tensors, PixEntry, i);
        g_array_append_val(state->offsets, end);
        if (!pix_checked_product(entry->dims, entry->rank, &entry->count) ||
            !pix_checked_add(end, entry->count, &end) || end > n_codes)
            return pix_broken(error,
                              "its shapes need more than the %" G_GUINT64_FORMAT
                              " weights that it holds (tensor %s)",
                              n_codes, entry->name);
        if (!pix_container_add(container, entry, error))
            return false;
    }
    if (end != n_codes)
        return pix_broken(
            error, "its shapes need %" G_GUINT64_FORMAT " weights, it holds %" G_GUINT64_FORMAT,
            end, n_codes);
    return true;
}

static bool pict_open(PixContainer *container, GError **error)
{
    const PixReader *reader = &container->reader;
    guint64 offset = 0, names, names_bytes, book, book_bytes, n_codes;
    Pict *state = container->state = g_new0(Pict, 1);
    state->offsets = g_array_new(FALSE, FALSE, sizeof(guint64));
    if (!next_chunk(reader, &offset, &names, &names_bytes, error) ||
        !next_chunk(reader, &offset, &book, &book_bytes, error) ||
        !next_chunk(reader, &offset, &state->codes, &n_codes, error))
        return false;
    if (names_bytes > MAX_LIST)
        return pix_broken(error, "a list of tensors of %" G_GUINT64_FORMAT " bytes", names_bytes);
    if (book_bytes != sizeof state->codebook)
        return pix_broken(
            error, "a .pict codebook has 256 float32, not %" G_GUINT64_FORMAT " bytes", book_bytes);
    if (offset != reader->size)
        return pix_broken(error, "bytes after the last weight");
    if (!pix_reader_read(reader, book, state->codebook, sizeof state->codebook, error))
        return false;

    g_autofree char *text = pix_reader_load(reader, names, names_bytes, error);
    g_autoptr(GArray) tensors = g_array_new(FALSE, TRUE, sizeof(PixEntry));
    PixJson json;
    if (!text)
        return false;
    bool ok = pix_json_init(&json, "list of tensors", text, (size_t)names_bytes, error) &&
              take_tensors(&json, container->strings, tensors);
    pix_json_clear(&json);
    return ok && add_entries(container, tensors, n_codes, error);
}

static bool pict_read(PixContainer *container, guint index, void *elements, GError **error)
{
    const Pict *state = container->state;
    guint64 count = g_array_index(container->entries, PixEntry, index).count;
    guint64 offset = state->codes + g_array_index(state->offsets, guint64, index);
    guint8 *next = elements;
    guint8 codes[4096];
    while (count > 0) {
        size_t n = (size_t)MIN(count, sizeof codes);
        if (!pix_reader_read(&container->reader, offset, codes, n, error))
            return false;
        for (size_t i = 0; i < n; i++, next += 4)
            memcpy(next, state->codebook[codes[i]], 4);
        offset += n;
        count -= n;
    }
    return true;
}

static void pict_close(gpointer data)
{
    Pict *state = data;
    if (state)
        g_array_unref(state->offsets);
    g_free(state);
}

const PixFormat pix_format_pict = {
    .name = "pict",
    .open = pict_open,
    .read = pict_read,
    .close = pict_close,
};
