/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "safetensors.h"

#include "atomic-file.h"
#include "checked.h"
#include "container-private.h"
#include "error.h"
#include "safetensors-checksum.h"
#include "safetensors-header.h"

#include <string.h>

#define PREFIX 8 /* bytes of the header's length */

/* ---- reading ---- */

typedef struct {
    guint64 data; /* where the data start in the file */
    GArray *tensors;
} Safetensors;

static bool safetensors_read(PixContainer *container, guint index, void *elements, GError **error)
{
    const Safetensors *state = container->state;
    const PixHeaderTensor *tensor = &g_array_index(state->tensors, PixHeaderTensor, index);
    /* The sum was checked when the file was opened: all of it is within the file. */
    return pix_reader_read(&container->reader, state->data + tensor->begin, elements,
                           (size_t)(tensor->end - tensor->begin), error);
}

static void safetensors_close(gpointer data)
{
    Safetensors *state = data;
    if (state)
        g_array_unref(state->tensors);
    g_free(state);
}

/* The header's length is checked against the file before anything is allocated for it. */
static bool read_header_length(const PixReader *reader, guint64 *length, GError **error)
{
    if (!pix_reader_read(reader, 0, length, PREFIX, error))
        return false;
    *length = GUINT64_FROM_LE(*length);
    if (*length > PIX_SAFETENSORS_MAX_HEADER)
        return pix_broken(
            error, "a safetensors header of %" G_GUINT64_FORMAT " bytes; at most %d are allowed",
            *length, PIX_SAFETENSORS_MAX_HEADER);
    if (!pix_checked_inside(PREFIX, *length, reader->size))
        return pix_broken(error,
                          "it is cut off: its safetensors header has %" G_GUINT64_FORMAT
                          " bytes, the whole file %" G_GUINT64_FORMAT "",
                          *length, reader->size);
    return true;
}

static bool safetensors_open(PixContainer *container, GError **error)
{
    guint64 length;
    if (!read_header_length(&container->reader, &length, error))
        return false;
    g_autofree char *text = pix_reader_load(&container->reader, PREFIX, length, error);
    if (!text)
        return false;

    Safetensors *state = container->state = g_new0(Safetensors, 1);
    state->data = PREFIX + length;
    state->tensors = g_array_new(FALSE, FALSE, sizeof(PixHeaderTensor));
    if (!pix_safetensors_parse(text, (size_t)length, container->reader.size - state->data,
                               container->strings, state->tensors, container->metadata, error))
        return false;
    for (guint i = 0; i < state->tensors->len; i++) {
        const PixHeaderTensor *tensor = &g_array_index(state->tensors, PixHeaderTensor, i);
        PixEntry entry = {.group = "",
                          .name = tensor->name,
                          .dtype = tensor->dtype,
                          .rank = tensor->rank,
                          .count = tensor->count};
        memcpy(entry.dims, tensor->dims, sizeof entry.dims);
        if (!pix_container_add(container, &entry, error))
            return false;
    }
    return true;
}

const PixFormat pix_format_safetensors = {
    .name = "safetensors",
    .open = safetensors_open,
    .read = safetensors_read,
    .close = safetensors_close,
};

/* ---- writing ---- */

/* The tensors' sizes, and where each ends. */
static bool measure(const PixTensorSource *tensors, guint n, guint64 *ends)
{
    guint64 end = 0, count, bytes;
    for (guint i = 0; i < n; i++) {
        if (!pix_checked_product(tensors[i].dims, tensors[i].rank, &count) ||
            !pix_checked_mul(count, pix_dtype_bytes(tensors[i].dtype), &bytes) ||
            !pix_checked_add(end, bytes, &end))
            return false;
        ends[i] = end;
    }
    return end < G_MAXINT64 / 2; /* what off_t can say, the header included */
}

static void append_string(GString *json, const char *text)
{
    g_string_append_c(json, '"');
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            g_string_append_printf(json, "\\%c", *c);
        else if ((guchar)*c < 0x20)
            g_string_append_printf(json, "\\u%04x", *c);
        else
            g_string_append_c(json, *c);
    }
    g_string_append_c(json, '"');
}

static void append_metadata(GString *json, GHashTable *metadata)
{
    g_autoptr(GList) keys =
        g_list_sort(g_hash_table_get_keys(metadata), (GCompareFunc)(void (*)(void))strcmp);
    g_string_append(json, "\"__metadata__\":{");
    for (const GList *key = keys; key; key = key->next) {
        append_string(json, key->data);
        g_string_append_c(json, ':');
        append_string(json, g_hash_table_lookup(metadata, key->data));
        if (key->next)
            g_string_append_c(json, ',');
    }
    g_string_append_c(json, '}');
}

/* Length and text, padded so that the data are aligned. */
static GString *make_header(const PixTensorSource *tensors, guint n, const guint64 *ends,
                            GHashTable *metadata)
{
    GString *json = g_string_new("{");
    if (metadata && g_hash_table_size(metadata) > 0)
        append_metadata(json, metadata);
    for (guint i = 0; i < n; i++) {
        if (json->len > 1)
            g_string_append_c(json, ',');
        append_string(json, tensors[i].name);
        g_string_append_printf(json, ":{\"dtype\":\"%s\",\"shape\":[",
                               pix_dtype_name(tensors[i].dtype));
        for (int d = 0; d < tensors[i].rank; d++)
            g_string_append_printf(json, "%s%" G_GUINT64_FORMAT, d ? "," : "", tensors[i].dims[d]);
        g_string_append_printf(json,
                               "],\"data_offsets\":[%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT "]}",
                               i ? ends[i - 1] : 0, ends[i]);
    }
    g_string_append_c(json, '}');
    while (json->len % 8)
        g_string_append_c(json, ' ');
    guint64 length = GUINT64_TO_LE(json->len);
    return g_string_prepend_len(json, (const char *)&length, PREFIX);
}

/* Whether our own reader takes the header: no file is better than one that nobody can read. */
static bool check_header(const char *label, const GString *header, guint64 data_bytes,
                         GError **error)
{
    g_autoptr(GArray) tensors = g_array_new(FALSE, FALSE, sizeof(PixHeaderTensor));
    g_autoptr(GHashTable) metadata = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    GStringChunk *strings = g_string_chunk_new(4096);
    bool ok = header->len - PREFIX <= PIX_SAFETENSORS_MAX_HEADER
                  ? pix_safetensors_parse(header->str + PREFIX, header->len - PREFIX, data_bytes,
                                          strings, tensors, metadata, error)
                  : pix_fail(error, PIX_ERROR_IO, "has too large a header");
    g_string_chunk_free(strings);
    if (!ok)
        g_prefix_error(error, "%s: cannot be written: ", label);
    return ok;
}

static bool write_tensors(PixAtomicFile *atomic, const GString *header,
                          const PixTensorSource *tensors, const guint64 *ends, guint n,
                          PixFill fill, gpointer user_data, GError **error)
{
    bool has_checksum = n > 0 && tensors[n - 1].checksum;
    guint64 checksum = pix_checksum_add(0, header->str, header->len);
    for (guint i = 0; i < n; i++) {
        size_t bytes = (size_t)(ends[i] - (i ? ends[i - 1] : 0));
        g_autofree void *block = pix_try_alloc(bytes, 1, error);
        if (!block) {
            g_prefix_error(error, "%s: ", atomic->label);
            return false;
        }
        if (tensors[i].checksum)
            pix_checksum_store(checksum, block);
        else if (!fill(user_data, i, block, error))
            return false;
        if (!pix_atomic_write(atomic, block, bytes, error))
            return false;
        if (has_checksum)
            checksum = pix_checksum_add(checksum, block, bytes);
    }
    return true;
}

/* Reads back from the file itself: the header, and what a checksum covers. */
static bool verify(const PixAtomicFile *atomic, const GString *header, bool has_checksum,
                   GError **error)
{
    PixReader reader = {.fd = atomic->fd, .size = atomic->total_bytes};
    g_autofree void *back = pix_reader_load(&reader, 0, header->len, error);
    if (back && memcmp(back, header->str, header->len) != 0) {
        pix_fail(error, PIX_ERROR_IO,
                 "reads back other bytes than were written; is the disk sound?");
        g_clear_pointer(&back, g_free);
    }
    if (back && has_checksum && !pix_checksum_verify(&reader, error))
        g_clear_pointer(&back, g_free);
    if (!back)
        g_prefix_error(error, "%s: ", atomic->label);
    return back != NULL;
}

bool pix_safetensors_write(const char *file, const PixTensorSource *tensors, guint n_tensors,
                           GHashTable *metadata, PixFill fill, gpointer user_data, GError **error)
{
    g_autofree char *label = g_filename_display_name(file);
    g_autofree guint64 *ends = g_new(guint64, (gsize)n_tensors + 1);
    for (guint i = 0; i < n_tensors; i++)
        g_assert(tensors[i].rank >= 0 && tensors[i].rank <= PIX_MAX_RANK);
    if (!measure(tensors, n_tensors, ends))
        return pix_fail(error, PIX_ERROR_IO, "%s: tensors too large for a file", label);

    guint64 data_bytes = n_tensors ? ends[n_tensors - 1] : 0;
    g_autoptr(GString) header = make_header(tensors, n_tensors, ends, metadata);
    PixAtomicFile atomic;
    if (!check_header(label, header, data_bytes, error) ||
        !pix_atomic_begin(&atomic, file, header->len + data_bytes, error))
        return false;
    bool ok = pix_atomic_write(&atomic, header->str, header->len, error) &&
              write_tensors(&atomic, header, tensors, ends, n_tensors, fill, user_data, error) &&
              pix_atomic_flush(&atomic, error) &&
              verify(&atomic, header, n_tensors > 0 && tensors[n_tensors - 1].checksum, error) &&
              pix_atomic_finish(&atomic, error);
    pix_atomic_clear(&atomic);
    return ok;
}
