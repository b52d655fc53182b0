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
    guint visits;
} Walk;

static bool walk(Walk *w, const PickleValue *value, const char *group, int depth, GError **error);

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

static bool add_tensor(Walk *w, const TorchTensor *tensor, const char *group, const char *name,
                       GError **error)
{
    PixEntry entry = {.group = group,
                      .name = g_string_chunk_insert(w->container->strings, name),
                      .dtype = tensor->dtype,
                      .rank = tensor->rank,
                      .count = tensor->count};
    memcpy(entry.dims, tensor->dims, sizeof entry.dims);
    if (!pix_container_add(w->container, &entry, error))
        return false;
    g_array_append_vals(w->pth->tensors, tensor, 1);
    return true;
}

/* One item of a dict or list. @name: (nullable): its key or number. */
static bool visit(Walk *w, const PickleValue *value, const char *group, const char *name, int depth,
                  GError **error)
{
    const TorchTensor *tensor = torch_tensor_of(value);
    if (++w->visits > MAX_VISITS)
        return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                        "holds too many Python objects beside its weights; save the state_dict "
                        "alone");
    if (tensor && !name)
        return pix_broken(error, "a tensor's name has more than %d bytes or is no text",
                          PIX_MAX_NAME);
    if (tensor)
        return add_tensor(w, tensor, group, name, error);
    if (!name)
        return true;
    if (value->type == PICKLE_OPAQUE) {
        g_autofree char *what = pickle_describe(value);
        pix_container_skip(w->container, group, g_string_chunk_insert(w->container->strings, name),
                           what);
        return true;
    }
    if (!is_nest(value))
        return true;
    g_autofree char *path = *group ? g_strconcat(group, "/", name, NULL) : g_strdup(name);
    if (strlen(path) > MAX_GROUP)
        return pix_broken(error, "dicts nested too deeply");
    return walk(w, value, path, depth + 1, error);
}

static bool has_names(const PickleValue *value)
{
    for (guint32 i = 0; i < value->items->n; i++)
        if (torch_tensor_of(&value->items->values[i]) ||
            value->items->values[i].type == PICKLE_OPAQUE)
            return true;
    return false;
}

static bool walk(Walk *w, const PickleValue *value, const char *group, int depth, GError **error)
{
    const PickleItems *items = value->items;
    guint32 step = value->type == PICKLE_DICT ? 2 : 1;
    if (depth > PICKLE_MAX_DEPTH)
        return pix_broken(error, "dicts and lists nested more than %d deep", PICKLE_MAX_DEPTH);
    if (has_names(value))
        group = g_string_chunk_insert_const(w->container->strings, group);
    for (guint32 i = 0; i + step <= items->n; i += step) {
        g_autofree char *name = step == 2 ? key_of(&items->values[i]) : g_strdup_printf("%u", i);
        if (!visit(w, &items->values[i + step - 1], group, name, depth, error))
            return false;
    }
    return true;
}

bool pth_add_entries(PixContainer *container, Pth *pth, const PickleValue *root, GError **error)
{
    Walk w = {.container = container, .pth = pth};
    if (is_nest(root))
        return walk(&w, root, "", 1, error);
    g_autofree char *what = pickle_describe(root);
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
