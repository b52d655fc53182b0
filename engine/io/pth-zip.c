/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* PyTorch files since version 1.6: a zip archive with the pickled object in data.pkl and each
 * storage in data/KEY. */
#include "error.h"
#include "pth.h"
#include "zip-data.h"

#include <string.h>

typedef struct {
    Pth pth;
    PixZipLayout layout;
    PixZipData *data;
} PthZip;

/* The whole storage goes past its checksum the first time; after that its bytes are where the
 * directory says. */
static bool load(PixContainer *container, TorchStorage *storage, guint64 offset, guint64 n,
                 void *target, GError **error)
{
    PthZip *state = container->state;
    guint index = (guint)storage->place;
    const PixZipEntry *entry = &g_array_index(state->layout.entries, PixZipEntry, index);
    if (storage->checked)
        return pix_reader_read(&container->reader, entry->payload + offset, target, (size_t)n,
                               error);
    storage->checked = pix_zip_data_read(state->data, index, offset, n, target, true, error);
    return storage->checked;
}

static bool check_kind(const PixZipLayout *layout, GError **error)
{
    guint index;
    for (guint i = 0; i < layout->entries->len; i++) {
        const char *name = g_array_index(layout->entries, PixZipEntry, i).name;
        if (strcmp(name, "constants.pkl") == 0 || g_str_has_prefix(name, "code/"))
            return pix_fail(error, PIX_ERROR_UNSUPPORTED,
                            "is a TorchScript program, which is never run; in Python: "
                            "torch.save(torch.jit.load('it').state_dict(), 'weights.pth')");
    }
    return pix_zip_layout_find(layout, "data.pkl", &index) ||
           pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                    "is a zip archive, but none of torch.save: it has no data.pkl");
}

static bool check_byte_order(const PthZip *state, GError **error)
{
    char order[8] = {0}; /* the last byte stays 0 */
    guint index;
    if (!pix_zip_layout_find(&state->layout, "byteorder", &index))
        return true; /* before PyTorch 2.1 */
    guint64 size = g_array_index(state->layout.entries, PixZipEntry, index).size;
    if (size >= sizeof order)
        return pix_broken(error, "its byteorder is no word");
    if (!pix_zip_data_read(state->data, index, 0, size, order, false, error))
        return false;
    return strcmp(order, "little") == 0 ||
           pix_fail(error, PIX_ERROR_UNSUPPORTED,
                    "was saved on a big-endian machine; save it again on another one");
}

/* Every storage that the pickle names must be an entry of exactly its size. */
static bool place_storages(const PthZip *state, GError **error)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, state->pth.storages);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        TorchStorage *storage = value;
        g_autofree char *name = g_strconcat("data/", storage->key, NULL);
        guint index;
        if (!pix_zip_layout_find(&state->layout, name, &index))
            return pix_broken(error, "it has no entry '%s', which its pickle names", name);
        guint64 size = g_array_index(state->layout.entries, PixZipEntry, index).size;
        if (size != storage->bytes)
            return pix_broken(
                error, "'%s' has %" G_GUINT64_FORMAT " bytes, its pickle says %" G_GUINT64_FORMAT,
                name, size, storage->bytes);
        storage->place = index;
    }
    return true;
}

static guint8 *load_pickle(const PthZip *state, guint64 *size, GError **error)
{
    guint index;
    pix_zip_layout_find(&state->layout, "data.pkl", &index);
    *size = g_array_index(state->layout.entries, PixZipEntry, index).size;
    if (*size > PICKLE_MAX_BYTES) {
        pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                 "has a pickle of %" G_GUINT64_FORMAT
                 " bytes beside its weights, at most %d are read; save the state_dict alone",
                 *size, PICKLE_MAX_BYTES);
        return NULL;
    }
    guint8 *pickle = pix_try_alloc(*size, 1, error);
    if (pickle && !pix_zip_data_read(state->data, index, 0, *size, pickle, false, error)) {
        g_prefix_error(error, "data.pkl ");
        g_clear_pointer(&pickle, g_free);
    }
    return pickle;
}

static bool read_object(PixContainer *container, PthZip *state, PickleMemory *memory,
                        GError **error)
{
    guint64 size;
    size_t used;
    PickleValue root;
    g_autofree guint8 *pickle = load_pickle(state, &size, error);
    if (!pickle ||
        !torch_pickle_run(pickle, (size_t)size, memory, state->pth.storages, &used, &root, error))
        return false;
    if (used != size)
        return pix_broken(error, "data.pkl goes on after its pickle's end");
    return place_storages(state, error) && pth_add_entries(container, &state->pth, &root, error);
}

static bool pth_zip_open(PixContainer *container, GError **error)
{
    PthZip *state = container->state = g_new0(PthZip, 1);
    pth_init(&state->pth, load);
    if (!pix_zip_layout_read(&state->layout, &container->reader, error) ||
        !check_kind(&state->layout, error) ||
        !pix_zip_layout_check(&state->layout, &container->reader, error))
        return false;
    state->data = pix_zip_data_open(&container->reader, &state->layout, error);
    if (!state->data || !check_byte_order(state, error))
        return false;
    PickleMemory memory;
    pickle_memory_init(&memory);
    bool ok = read_object(container, state, &memory, error);
    pickle_memory_clear(&memory);
    return ok;
}

static void pth_zip_close(gpointer data)
{
    PthZip *state = data;
    if (!state)
        return;
    pix_zip_data_close(state->data);
    pix_zip_layout_clear(&state->layout);
    pth_clear(&state->pth);
    g_free(state);
}

const PixFormat pix_format_pth_zip = {
    .name = "pytorch-zip",
    .open = pth_zip_open,
    .read = pth_read,
    .close = pth_zip_close,
};
