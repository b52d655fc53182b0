/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pth.h"

#include "error.h"

#include <string.h>

#define MAX_GROUP 1024     /* bytes of the keys that lead to a dict */
#define MAX_VISITS 1000000 /* dicts may share their contents, which makes few bytes many objects */

void pth_init(Pth *pth, PthLoad load)
{
    pth->load = load;
    pth->storages = torch_storages_new();
    pth->tensors = g_array_new(FALSE, FALSE, sizeof(TorchTensor));
}

void pth_clear(Pth *pth)
{
    g_hash_table_unref(pth->storages);
    g_array_unref(pth->tensors);
}

/* ---- from the pickled object to entries ---- */

typedef struct {
    PixContainer *container;
    Pth *pth;
    GString *path; /* the keys that lead to the dict being walked through */
    guint visits;
} Walk;

/* A dict or list on the way. */
typedef struct {
    const char *group; /* (nullable): Walk.path, kept where something in it has to be remembered */
    int depth;
} Place;

static bool walk(Walk *w, const PickleValue *value, int depth, GError **error);

static bool is_nest(const PickleValue *value)
{
    return value->type == PICKLE_DICT || value->type == PICKLE_LIST || value->type == PICKLE_TUPLE;
}

/* A key as text; NULL for those that are no names. */
static char *key_of(const PickleValue *key)
{
    if (key->type == PICKLE_INT)
        return g_strdup_printf("%" G_GINT64_FORMAT, key->integer);
    if (key->type == PICKLE_STRING && pix_name_is_good(key->text, key->number))
        return g_strndup(key->text, key->number);
    return NULL;
}

static bool too_many(GError **error)
{
    return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                    "holds too many Python objects beside its weights; save the state_dict alone");
}

/* Returns: (nullable): a copy of @name that lives with the container, as place->group then does. */
static const char *keep(Walk *w, Place *place, const char *name)
{
    if (!place->group)
        place->group = pix_container_keep(w->container, w->path->str);
    return place->group ? pix_container_keep(w->container, name) : NULL;
}

static bool add_tensor(Walk *w, const TorchTensor *tensor, Place *place, const char *name,
                       GError **error)
{
    PixEntry entry = {.name = keep(w, place, name),
                      .dtype = tensor->dtype,
                      .rank = tensor->rank,
                      .count = tensor->count};
    if (!entry.name)
        return too_many(error);
    entry.group = place->group;
    memcpy(entry.dims, tensor->dims, sizeof entry.dims);
    if (!pix_container_add(w->container, &entry, error))
        return false;
    g_array_append_vals(w->pth->tensors, tensor, 1);
    return true;
}

static void add_other(Walk *w, const PickleValue *value, Place *place, const char *name)
{
    const char *kept = pix_container_wants_other(w->container) ? keep(w, place, name) : NULL;
    if (!kept)
        return;
    g_autofree char *what = torch_describe(value);
    pix_container_add_other(w->container, place->group, kept, what);
}

static bool walk_into(Walk *w, const PickleValue *value, const char *name, int depth,
                      GError **error)
{
    size_t length = w->path->len;
    if (length > 0)
        g_string_append_c(w->path, '/');
    g_string_append(w->path, name);
    if (w->path->len > MAX_GROUP)
        return pix_broken(error, "dicts nested too deeply");
    if (!walk(w, value, depth, error))
        return false;
    g_string_truncate(w->path, length);
    return true;
}

/* One item of a dict, or with a number for @key of a list. What has no name can be no weight. */
static bool visit(Walk *w, const PickleValue *value, Place *place, const PickleValue *key,
                  GError **error)
{
    if (++w->visits > MAX_VISITS)
        return too_many(error);
    g_autofree char *name = key_of(key);
    if (!name)
        return true;
    const TorchTensor *tensor = torch_tensor_of(value);
    if (tensor)
        return add_tensor(w, tensor, place, name, error);
    if (key->type == PICKLE_STRING)
        add_other(w, value, place, name);
    return !is_nest(value) || walk_into(w, value, name, place->depth + 1, error);
}

static bool walk(Walk *w, const PickleValue *value, int depth, GError **error)
{
    const PickleItems *items = value->items;
    Place place = {.depth = depth};
    if (depth > PICKLE_MAX_DEPTH)
        return pix_broken(error, "dicts and lists nested more than %d deep", PICKLE_MAX_DEPTH);
    if (value->type == PICKLE_DICT) {
        for (guint32 i = 0; i + 1 < items->n; i += 2)
            if (!visit(w, &items->values[i + 1], &place, &items->values[i], error))
                return false;
        return true;
    }
    for (guint32 i = 0; i < items->n; i++) {
        PickleValue number = {.type = PICKLE_INT, .integer = i};
        if (!visit(w, &items->values[i], &place, &number, error))
            return false;
    }
    return true;
}

bool pth_add_entries(PixContainer *container, Pth *pth, const PickleValue *root, GError **error)
{
    if (is_nest(root)) {
        Walk w = {.container = container, .pth = pth, .path = g_string_new(NULL)};
        bool ok = walk(&w, root, 1, error);
        g_string_free(w.path, TRUE);
        return ok;
    }
    g_autofree char *what = torch_describe(root);
    return pix_fail(error, PIX_ERROR_UNSUPPORTED,
                    "holds %s instead of a dict of tensors, and no code in it is ever run; in "
                    "Python: torch.save(model.state_dict(), 'weights.pth')",
                    what);
}

/* ---- elements ---- */

bool pth_read(PixContainer *container, guint index, void *elements, GError **error)
{
    Pth *pth = container->state;
    const TorchTensor *tensor = &g_array_index(pth->tensors, TorchTensor, index);
    /* The span is inside the storage, whose size in bytes fits. */
    size_t element_bytes = pix_dtype_bytes(tensor->dtype);
    guint64 offset = tensor->offset * element_bytes, n = tensor->span * element_bytes;
    if (torch_tensor_is_packed(tensor))
        return pth->load(container, tensor->storage, offset, n, elements, error);
    g_autofree guint8 *span = pix_try_alloc(n, 1, error);
    if (!span || !pth->load(container, tensor->storage, offset, n, span, error))
        return false;
    torch_tensor_gather(tensor, span, elements);
    return true;
}
