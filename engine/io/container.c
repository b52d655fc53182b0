/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "container-private.h"

#include "checked.h"
#include "error.h"

#include <string.h>

static guint hash_place(gconstpointer key)
{
    const PixEntry *entry = key;
    return g_str_hash(entry->group) ^ (g_str_hash(entry->name) << 1);
}

static gboolean same_place(gconstpointer a, gconstpointer b)
{
    const PixEntry *x = a, *y = b;
    return strcmp(x->name, y->name) == 0 && strcmp(x->group, y->group) == 0;
}

static PixContainer *container_new(char *label)
{
    PixContainer *container = g_new0(PixContainer, 1);
    container->reader.fd = -1;
    container->label = label;
    container->entries = g_array_new(FALSE, FALSE, sizeof(PixEntry));
    container->places = g_hash_table_new_full(hash_place, same_place, g_free, NULL);
    container->others = g_array_new(FALSE, FALSE, sizeof(PixOther));
    container->metadata = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    container->strings = g_string_chunk_new(4096);
    return container;
}

void pix_container_free(PixContainer *container)
{
    if (!container)
        return;
    if (container->format)
        container->format->close(container->state);
    pix_reader_close(&container->reader);
    g_hash_table_unref(container->places);
    g_array_unref(container->others);
    g_hash_table_unref(container->metadata);
    g_array_unref(container->entries);
    g_string_chunk_free(container->strings);
    g_free(container->label);
    g_free(container);
}

/* Takes @container, whose reader is open. */
static PixContainer *open_format(PixContainer *container, GError **error)
{
    container->format = pix_sniff(&container->reader, error);
    if (container->format && container->format->open(container, error))
        return container;
    g_prefix_error(error, "%s: ", container->label);
    pix_container_free(container);
    return NULL;
}

PixContainer *pix_container_open(const char *file, GError **error)
{
    PixContainer *container = container_new(g_filename_display_name(file));
    if (!pix_reader_open(&container->reader, file, error)) {
        g_prefix_error(error, "%s: ", container->label);
        pix_container_free(container);
        return NULL;
    }
    return open_format(container, error);
}

PixContainer *pix_container_open_bytes(GBytes *bytes, const char *label, GError **error)
{
    PixContainer *container = container_new(g_strdup(label));
    pix_reader_open_bytes(&container->reader, bytes);
    return open_format(container, error);
}

const char *pix_container_get_format(const PixContainer *container)
{
    return container->format->name;
}

const char *pix_container_get_label(const PixContainer *container)
{
    return container->label;
}

guint pix_container_get_n_entries(const PixContainer *container)
{
    return container->entries->len;
}

const PixEntry *pix_container_get_entry(const PixContainer *container, guint index)
{
    g_return_val_if_fail(index < container->entries->len, NULL);
    return &g_array_index(container->entries, PixEntry, index);
}

const PixEntry *pix_container_find(const PixContainer *container, const char *group,
                                   const char *name)
{
    PixEntry key = {.group = group, .name = name};
    guint place = GPOINTER_TO_UINT(g_hash_table_lookup(container->places, &key));
    return place ? pix_container_get_entry(container, place - 1) : NULL;
}

GHashTable *pix_container_get_metadata(const PixContainer *container)
{
    return container->metadata;
}

bool pix_container_add(PixContainer *container, const PixEntry *entry, GError **error)
{
    if (container->entries->len >= PIX_MAX_TENSORS)
        return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT, "holds more than %d tensors",
                        PIX_MAX_TENSORS);
    PixEntry *key = g_new0(PixEntry, 1);
    *key = *entry;
    if (!g_hash_table_insert(container->places, key, GUINT_TO_POINTER(container->entries->len + 1)))
        return pix_broken(error, "it names the tensor '%s' twice", entry->name);
    g_array_append_vals(container->entries, entry, 1);
    return true;
}

const char *pix_container_keep(PixContainer *container, const char *text)
{
    size_t bytes = strlen(text) + 1;
    if (bytes > PIX_MAX_STRINGS - container->kept_bytes)
        return NULL;
    container->kept_bytes += bytes;
    return g_string_chunk_insert(container->strings, text);
}

bool pix_container_wants_other(const PixContainer *container)
{
    return container->others->len < PIX_MAX_OTHERS && container->kept_bytes < PIX_MAX_STRINGS / 4;
}

void pix_container_add_other(PixContainer *container, const char *group, const char *name,
                             const char *what)
{
    /* Few different ones, or short enough. */
    what = g_string_chunk_insert_const(container->strings, what);
    PixOther other = {group, name, what};
    g_array_append_val(container->others, other);
}

guint pix_container_get_n_others(const PixContainer *container)
{
    return container->others->len;
}

const PixOther *pix_container_get_other(const PixContainer *container, guint index)
{
    g_return_val_if_fail(index < container->others->len, NULL);
    return &g_array_index(container->others, PixOther, index);
}

/* The number of @entry, having checked that its elements can be wanted as they are. */
static guint index_of(const PixContainer *container, const PixEntry *entry)
{
    const PixEntry *first = &g_array_index(container->entries, PixEntry, 0);
    g_assert(entry >= first && entry < first + container->entries->len);
    return (guint)(entry - first);
}

bool pix_container_read(PixContainer *container, const PixEntry *entry, float *values,
                        GError **error)
{
    g_autofree guint8 *elements = NULL;
    void *target = values;
    bool direct = entry->dtype == PIX_DTYPE_F32 && G_BYTE_ORDER == G_LITTLE_ENDIAN;
    if (entry->count == 0)
        return true;
    if (!direct) {
        elements = pix_try_alloc(entry->count, pix_dtype_bytes(entry->dtype), error);
        target = elements;
    }
    if (!target || !container->format->read(container, index_of(container, entry), target, error)) {
        g_prefix_error(error, "%s: tensor %s ", container->label, entry->name);
        return false;
    }
    if (direct || pix_dtype_to_floats(entry->dtype, elements, values, (size_t)entry->count))
        return true;
    return pix_fail(error, PIX_ERROR_UNSUPPORTED,
                    "%s: tensor %s has values beyond the range of float32, which all networks are "
                    "computed in",
                    container->label, entry->name);
}

bool pix_name_is_good(const char *text, size_t length)
{
    if (length > PIX_MAX_NAME || !g_utf8_validate_len(text, length, NULL))
        return false;
    for (size_t i = 0; i < length; i++)
        if ((guchar)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return true;
}

char *pix_printable(const char *text, size_t length)
{
    enum { LONGEST = 64 };
    GString *result = g_string_new(NULL);
    for (size_t i = 0; i < length && i < LONGEST; i++)
        g_string_append_c(result, text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?');
    if (length > LONGEST)
        g_string_append(result, "...");
    return g_string_free(result, FALSE);
}
