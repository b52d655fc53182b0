/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* PyTorch files before version 1.6: five pickles (a magic number, the protocol, facts about the
 * machine, the object, the storages' keys), then for each key the number of elements and the
 * elements. */
#include "checked.h"
#include "error.h"
#include "pth.h"

#include <string.h>

#define PROTOCOL 1001

typedef struct {
    Pth pth;
} PthLegacy;

/* The pickles' part of the file, and how far it is read. */
typedef struct {
    const guint8 *bytes;
    size_t size, at;
    bool whole; /* the file has no more */
    PickleMemory memory;
    GHashTable *storages;
} Pickles;

static bool load(PixContainer *container, TorchStorage *storage, guint64 offset, guint64 n,
                 void *target, GError **error)
{
    return pix_reader_read(&container->reader, storage->place + offset, target, (size_t)n, error);
}

static bool next_pickle(Pickles *pickles, PickleValue *value, GError **error)
{
    size_t used;
    bool ok = torch_pickle_run(pickles->bytes + pickles->at, pickles->size - pickles->at,
                               &pickles->memory, pickles->storages, &used, value, error);
    if (!ok && pickles->at + used >= pickles->size && !pickles->whole)
        g_prefix_error(error,
                       "has a pickle of more than %d bytes before its weights; save the "
                       "state_dict alone: ",
                       PICKLE_MAX_BYTES);
    pickles->at += used;
    return ok;
}

static bool check_machine(const PickleValue *facts, GError **error)
{
    const PickleValue *little = NULL;
    for (guint32 i = 0; facts->type == PICKLE_DICT && i + 1 < facts->items->n; i += 2)
        if (pickle_string_is(&facts->items->values[i], "little_endian"))
            little = &facts->items->values[i + 1];
    if (!little || little->type != PICKLE_BOOL)
        return pix_broken(error, "it does not say its byte order");
    return little->integer ||
           pix_fail(error, PIX_ERROR_UNSUPPORTED,
                    "was saved on a big-endian machine; save it again on another one");
}

static bool check_start(Pickles *pickles, GError **error)
{
    PickleValue value;
    /* The first is the magic number that the format was recognised by. */
    if (!next_pickle(pickles, &value, error) || !next_pickle(pickles, &value, error))
        return false;
    if (value.type != PICKLE_INT || value.integer != PROTOCOL)
        return pix_fail(error, PIX_ERROR_UNSUPPORTED,
                        "is a PyTorch file of an unknown protocol; only %d is read", PROTOCOL);
    return next_pickle(pickles, &value, error) && check_machine(&value, error);
}

/* One key of the list: its storage is at *@at. */
static bool place_storage(const PixReader *reader, TorchStorage *storage, guint64 *at,
                          GError **error)
{
    guint64 numel;
    if (!pix_reader_read(reader, *at, &numel, sizeof numel, error))
        return false;
    numel = GUINT64_FROM_LE(numel);
    if (numel != storage->numel)
        return pix_broken(error,
                          "storage %s has %" G_GUINT64_FORMAT
                          " elements, its pickle says %" G_GUINT64_FORMAT,
                          storage->key, numel, storage->numel);
    storage->place = *at + sizeof numel; /* inside the file, which was just read up to here */
    storage->checked = true;
    if (!pix_checked_inside(storage->place, storage->bytes, reader->size))
        return pix_broken(error, "it is cut off in storage %s", storage->key);
    *at = storage->place + storage->bytes;
    return true;
}

static bool place_storages(const PixReader *reader, const PickleValue *keys, GHashTable *storages,
                           guint64 at, GError **error)
{
    guint32 n = keys->type == PICKLE_LIST ? keys->items->n : 0;
    if (keys->type != PICKLE_LIST || n != g_hash_table_size(storages))
        return pix_broken(error, "it lists %u storages, its pickle names %u", n,
                          g_hash_table_size(storages));
    for (guint32 i = 0; i < n; i++) {
        const PickleValue *key = &keys->items->values[i];
        g_autofree char *text =
            key->type == PICKLE_STRING ? g_strndup(key->text, key->number) : NULL;
        TorchStorage *storage = text ? g_hash_table_lookup(storages, text) : NULL;
        if (!storage || storage->checked)
            return pix_broken(error, "its list of storages does not match its pickle");
        if (!place_storage(reader, storage, &at, error))
            return false;
    }
    return at == reader->size || pix_broken(error, "bytes after its last storage");
}

static bool read_object(PixContainer *container, PthLegacy *state, Pickles *pickles, GError **error)
{
    PickleValue root, keys;
    return check_start(pickles, error) && next_pickle(pickles, &root, error) &&
           next_pickle(pickles, &keys, error) &&
           place_storages(&container->reader, &keys, pickles->storages, pickles->at, error) &&
           pth_add_entries(container, &state->pth, &root, error);
}

static bool pth_legacy_open(PixContainer *container, GError **error)
{
    PthLegacy *state = container->state = g_new0(PthLegacy, 1);
    pth_init(&state->pth, load);
    /* Where the pickles end is only known once they are read. */
    guint64 n = MIN(container->reader.size, PICKLE_MAX_BYTES);
    g_autofree guint8 *bytes = pix_reader_load(&container->reader, 0, n, error);
    if (!bytes)
        return false;
    Pickles pickles = {.bytes = bytes,
                       .size = (size_t)n,
                       .whole = n == container->reader.size,
                       .storages = state->pth.storages};
    pickle_memory_init(&pickles.memory);
    bool ok = read_object(container, state, &pickles, error);
    pickle_memory_clear(&pickles.memory);
    return ok;
}

static void pth_legacy_close(gpointer data)
{
    PthLegacy *state = data;
    if (state)
        pth_clear(&state->pth);
    g_free(state);
}

const PixFormat pix_format_pth_legacy = {
    .name = "pytorch-legacy",
    .open = pth_legacy_open,
    .read = pth_read,
    .close = pth_legacy_close,
};
