/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "torch-pickle.h"

#include "checked.h"
#include "container-private.h"
#include "error.h"

#include <string.h>

/* The kinds of object that the hooks make. */
enum { VIEW, TENSOR };

/* A part of a storage, as files from before PyTorch 0.4 may have them. */
typedef struct {
    TorchStorage *storage;
    guint64 offset, numel;
} View;

typedef enum {
    ORDERED_DICT,
    DEFAULT_DICT,
    SIZE,
    PARAMETER,
    TENSOR_V1,
    TENSOR_V2,
    TENSOR_V3,
    STORAGE,
    DTYPE,
} Meaning;

/* Everything that a file of weights may name. The rest is opaque. */
static const struct {
    const char *name;
    Meaning meaning;
    int dtype;
    guint element_bytes;
} globals[] = {
    {"collections\nOrderedDict", ORDERED_DICT, 0, 0},
    {"collections\ndefaultdict", DEFAULT_DICT, 0, 0},
    {"torch\nSize", SIZE, 0, 0},
    {"torch._utils\n_rebuild_parameter", PARAMETER, 0, 0},
    {"torch._utils\n_rebuild_tensor", TENSOR_V1, 0, 0},
    {"torch._utils\n_rebuild_tensor_v2", TENSOR_V2, 0, 0},
    {"torch._utils\n_rebuild_tensor_v3", TENSOR_V3, 0, 0},
    {"torch\nFloatStorage", STORAGE, PIX_DTYPE_F32, 4},
    {"torch\nHalfStorage", STORAGE, PIX_DTYPE_F16, 2},
    {"torch\nBFloat16Storage", STORAGE, PIX_DTYPE_BF16, 2},
    {"torch\nDoubleStorage", STORAGE, PIX_DTYPE_F64, 8},
    {"torch\nCharStorage", STORAGE, PIX_DTYPE_I8, 1},
    {"torch\nByteStorage", STORAGE, PIX_DTYPE_U8, 1},
    {"torch\nShortStorage", STORAGE, PIX_DTYPE_I16, 2},
    {"torch\nIntStorage", STORAGE, PIX_DTYPE_I32, 4},
    {"torch\nLongStorage", STORAGE, PIX_DTYPE_I64, 8},
    {"torch\nBoolStorage", STORAGE, PIX_DTYPE_BOOL, 1},
    {"torch\nComplexFloatStorage", STORAGE, PIX_DTYPE_COUNT, 8},
    {"torch\nComplexDoubleStorage", STORAGE, PIX_DTYPE_COUNT, 16},
    {"torch\nQInt8Storage", STORAGE, PIX_DTYPE_COUNT, 1},
    {"torch\nQUInt8Storage", STORAGE, PIX_DTYPE_COUNT, 1},
    {"torch\nQInt32Storage", STORAGE, PIX_DTYPE_COUNT, 4},
    {"torch.storage\nUntypedStorage", STORAGE, -1, 1},
    {"torch\nUntypedStorage", STORAGE, -1, 1},
    {"torch\nfloat32", DTYPE, PIX_DTYPE_F32, 4},
    {"torch\nfloat16", DTYPE, PIX_DTYPE_F16, 2},
    {"torch\nbfloat16", DTYPE, PIX_DTYPE_BF16, 2},
    {"torch\nfloat64", DTYPE, PIX_DTYPE_F64, 8},
    {"torch\nint8", DTYPE, PIX_DTYPE_I8, 1},
    {"torch\nuint8", DTYPE, PIX_DTYPE_U8, 1},
    {"torch\nint16", DTYPE, PIX_DTYPE_I16, 2},
    {"torch\nint32", DTYPE, PIX_DTYPE_I32, 4},
    {"torch\nint64", DTYPE, PIX_DTYPE_I64, 8},
    {"torch\nbool", DTYPE, PIX_DTYPE_BOOL, 1},
};

typedef struct {
    PickleMemory *memory;
    GHashTable *storages;
} Context;

static int find_global(const char *name, size_t length)
{
    for (size_t i = 0; i < G_N_ELEMENTS(globals); i++)
        if (strlen(globals[i].name) == length && memcmp(globals[i].name, name, length) == 0)
            return (int)i;
    return -1;
}

static bool malformed(GError **error, const char *what)
{
    return pix_broken(error, "%s in its pickle", what);
}

static bool is_object(const PickleValue *value, guint32 kind)
{
    return value->type == PICKLE_OBJECT && value->number == kind;
}

static PickleValue opaque(const char *text)
{
    return pickle_opaque(text, strlen(text));
}

static bool get_size(const PickleValue *value, guint64 *size)
{
    if (value->type != PICKLE_INT || value->integer < 0)
        return false;
    *size = (guint64)value->integer;
    return true;
}

/* ---- storages ---- */

static void storage_free(gpointer data)
{
    TorchStorage *storage = data;
    g_free(storage->key);
    g_free(storage);
}

GHashTable *torch_storages_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, NULL, storage_free);
}

/* The storage @key, which must look the same wherever it is named: what is checked for one tensor
 * must hold for the next. */
static TorchStorage *get_storage(Context *context, const PickleValue *key, guint32 type,
                                 guint64 numel, GError **error)
{
    g_autofree char *text = g_strndup(key->text, key->number);
    TorchStorage *storage = g_hash_table_lookup(context->storages, text);
    const char *type_name = strchr(globals[type].name, '\n') + 1;
    if (storage) {
        if (storage->numel == numel && strcmp(storage->type, type_name) == 0)
            return storage;
        pix_broken(error, "storage %s has two types or sizes in its pickle", text);
        return NULL;
    }
    guint64 bytes;
    if (!pix_checked_mul(numel, globals[type].element_bytes, &bytes)) {
        malformed(error, "a storage too large");
        return NULL;
    }
    if (g_hash_table_size(context->storages) >= PIX_MAX_TENSORS) {
        malformed(error, "too many storages");
        return NULL;
    }
    storage = g_new0(TorchStorage, 1);
    storage->key = g_steal_pointer(&text);
    storage->type = type_name;
    storage->untyped = globals[type].dtype < 0;
    storage->dtype = globals[type].dtype;
    storage->element_bytes = globals[type].element_bytes;
    storage->numel = numel;
    storage->bytes = bytes;
    g_hash_table_insert(context->storages, storage->key, storage);
    return storage;
}

/* (view key, offset, size), the size being in elements of the storage. */
static bool take_view(const PickleValue *metadata, View *view, GError **error)
{
    if (metadata->type == PICKLE_NONE)
        return true;
    const PickleItems *items = metadata->items;
    if (metadata->type != PICKLE_TUPLE || items->n != 3 || view->storage->untyped ||
        !get_size(&items->values[1], &view->offset) || !get_size(&items->values[2], &view->numel) ||
        !pix_checked_inside(view->offset, view->numel, view->storage->numel))
        return malformed(error, "a view outside its storage");
    return true;
}

/* ('storage', type, key, location, number of elements[, view]). */
static bool storage_of_id(Context *context, const PickleItems *id, PickleValue *result,
                          GError **error)
{
    guint64 numel;
    if (id->n < 5 || id->n > 6 || id->values[2].type != PICKLE_STRING ||
        !pix_name_is_good(id->values[2].text, id->values[2].number) ||
        id->values[3].type != PICKLE_STRING || !get_size(&id->values[4], &numel))
        return malformed(error, "a storage described wrongly");
    if (id->values[1].type == PICKLE_OPAQUE) {
        *result = id->values[1];
        return true;
    }
    if (id->values[1].type != PICKLE_GLOBAL || globals[id->values[1].number].meaning != STORAGE)
        return malformed(error, "a storage of no type");

    View *view = pickle_alloc(context->memory, sizeof *view, error);
    if (!view)
        return false;
    view->storage = get_storage(context, &id->values[2], id->values[1].number, numel, error);
    view->numel = numel;
    if (!view->storage || (id->n == 6 && !take_view(&id->values[5], view, error)))
        return false;
    *result = (PickleValue){.type = PICKLE_OBJECT, .number = VIEW, .object = view};
    return true;
}

static bool persistent(gpointer user_data, const PickleValue *id, PickleValue *result,
                       GError **error)
{
    if (id->type == PICKLE_TUPLE && id->items->n > 1) {
        if (pickle_string_is(&id->items->values[0], "storage"))
            return storage_of_id(user_data, id->items, result, error);
        /* Whole networks of old files: the class, its source's path and text. */
        if (pickle_string_is(&id->items->values[0], "module")) {
            *result = id->items->values[1];
            return true;
        }
    }
    return malformed(error, "an unknown kind of persistent id");
}

/* ---- tensors ---- */

static bool take_sizes(const PickleValue *value, guint64 *sizes, int *n)
{
    if (value->type != PICKLE_TUPLE || value->items->n > PIX_MAX_RANK)
        return false;
    *n = (int)value->items->n;
    for (int i = 0; i < *n; i++)
        if (!get_size(&value->items->values[i], &sizes[i]))
            return false;
    return true;
}

/* More dimensions than any network needs. */
static bool is_deep(const PickleValue *size)
{
    return size->type == PICKLE_TUPLE && size->items->n > PIX_MAX_RANK;
}

/* Lazily conjugated or negated tensors hold other values than they mean. */
static bool is_lazy(const PickleValue *metadata)
{
    if (metadata->type != PICKLE_DICT)
        return metadata->type != PICKLE_NONE;
    const PickleItems *items = metadata->items;
    for (guint32 i = 0; i + 1 < items->n; i += 2) {
        const PickleValue *key = &items->values[i], *value = &items->values[i + 1];
        bool known = pickle_string_is(key, "conj") || pickle_string_is(key, "neg");
        if (known && !(value->type == PICKLE_BOOL && value->integer == 0))
            return true;
    }
    return false;
}

/* The element type: of the storage, or @dtype's (nullable) where the storage is bytes.
 * Returns: (nullable): the name of a type that is not supported. */
static const char *take_dtype(const TorchStorage *storage, const PickleValue *dtype,
                              TorchTensor *tensor)
{
    int found = storage->dtype;
    if (dtype && storage->untyped)
        found = dtype->type == PICKLE_GLOBAL && globals[dtype->number].meaning == DTYPE
                    ? globals[dtype->number].dtype
                    : PIX_DTYPE_COUNT;
    if (found < 0 || found >= PIX_DTYPE_COUNT)
        return "a tensor of complex or other numbers that are not read";
    tensor->dtype = (PixDtype)found;
    return NULL;
}

/* (storage, offset, size, strides[, requires_grad, hooks[, dtype][, metadata]]) */
static bool rebuild_tensor(Context *context, Meaning version, const PickleItems *args,
                           PickleValue *result, GError **error)
{
    guint32 shortest = version == TENSOR_V1 ? 4 : version == TENSOR_V2 ? 6 : 7;
    guint32 longest = version == TENSOR_V1 ? 4 : shortest + 1;
    const PickleValue *values = args->values;
    if (args->n < shortest || args->n > longest)
        return malformed(error, "a tensor with the wrong number of arguments");
    if (values[0].type == PICKLE_OPAQUE) {
        *result = values[0];
        return true;
    }
    TorchTensor *tensor = pickle_alloc(context->memory, sizeof *tensor, error);
    int n_strides = 0;
    if (!tensor)
        return false;
    if (!is_object(&values[0], VIEW))
        return malformed(error, "a tensor without a storage");
    if (is_deep(&values[2])) {
        *result = opaque("a tensor of more than 8 dimensions");
        return true;
    }
    if (!get_size(&values[1], &tensor->offset) ||
        !take_sizes(&values[2], tensor->dims, &tensor->rank) ||
        !take_sizes(&values[3], tensor->strides, &n_strides) || n_strides != tensor->rank ||
        (version != TENSOR_V1 && values[4].type != PICKLE_BOOL))
        return malformed(error, "a tensor with arguments of the wrong type");
    const View *view = values[0].object;
    const char *unknown =
        take_dtype(view->storage, version == TENSOR_V3 ? &values[6] : NULL, tensor);
    if (args->n > shortest && is_lazy(&values[shortest]))
        unknown = "a lazily conjugated or negated tensor (use .clone())";
    if (unknown) {
        *result = opaque(unknown);
        return true;
    }
    guint64 numel = view->numel;
    if (view->storage->untyped)
        numel /= pix_dtype_bytes(tensor->dtype);
    if (!torch_tensor_measure(tensor, numel))
        return malformed(error, "a tensor that reaches outside its storage");
    if (tensor->count > numel) {
        *result = opaque("an expanded tensor (use .clone())");
        return true;
    }
    tensor->storage = view->storage;
    tensor->offset += view->offset; /* inside the storage, so this cannot wrap */
    *result = (PickleValue){.type = PICKLE_OBJECT, .number = TENSOR, .object = tensor};
    return true;
}

/* What people's weights are when they are no tensors that can be read: the calls that would make
 * them, and what to do. */
char *torch_describe(const PickleValue *value)
{
    static const struct {
        const char *call, *text;
    } known[] = {
        {"numpy.core.multiarray._reconstruct", "a numpy array (use torch.from_numpy)"},
        {"numpy._core.multiarray._reconstruct", "a numpy array (use torch.from_numpy)"},
        {"numpy.core.numeric._frombuffer", "a numpy array (use torch.from_numpy)"},
        {"numpy._core.numeric._frombuffer", "a numpy array (use torch.from_numpy)"},
        {"numpy.core.multiarray.scalar", "a numpy number"},
        {"numpy._core.multiarray.scalar", "a numpy number"},
        {"torch._utils._rebuild_sparse_tensor", "a sparse tensor (use .to_dense())"},
        {"torch._utils._rebuild_qtensor", "a quantized tensor (use .dequantize())"},
    };
    char *text = pickle_describe(value);
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (value->type == PICKLE_OPAQUE && strcmp(text, known[i].call) == 0) {
            g_free(text);
            return g_strdup(known[i].text);
        }
    return text;
}

const TorchTensor *torch_tensor_of(const PickleValue *value)
{
    return is_object(value, TENSOR) ? value->object : NULL;
}

/* ---- other calls ---- */

/* OrderedDict(), or of Python 2 OrderedDict([[key, value], ...]). */
static bool make_dict(Context *context, const PickleItems *args, PickleValue *result,
                      GError **error)
{
    if (!pickle_new_items(context->memory, PICKLE_DICT, result, error))
        return false;
    if (args->n == 0)
        return true;
    if (args->n != 1 || args->values[0].type != PICKLE_LIST)
        return malformed(error, "an OrderedDict of something else than a list");
    const PickleItems *pairs = args->values[0].items;
    for (guint32 i = 0; i < pairs->n; i++) {
        const PickleValue *pair = &pairs->values[i];
        if ((pair->type != PICKLE_LIST && pair->type != PICKLE_TUPLE) || pair->items->n != 2)
            return malformed(error, "an OrderedDict of something else than pairs");
        for (int j = 0; j < 2; j++)
            if (!pickle_append(context->memory, result->items, pair->items->values[j], error))
                return false;
    }
    return true;
}

static bool reduce(gpointer user_data, guint32 global, const PickleItems *args, PickleValue *result,
                   GError **error)
{
    Context *context = user_data;
    switch (globals[global].meaning) {
    case ORDERED_DICT:
        return make_dict(context, args, result, error);
    case DEFAULT_DICT: /* of a factory, which nobody here will call */
        return pickle_new_items(context->memory, PICKLE_DICT, result, error);
    case SIZE:
        if (args->n != 1 ||
            (args->values[0].type != PICKLE_TUPLE && args->values[0].type != PICKLE_LIST))
            return malformed(error, "a torch.Size of something else than a tuple");
        *result = args->values[0];
        result->type = PICKLE_TUPLE;
        return true;
    case PARAMETER:
        if (args->n != 3 || args->values[1].type != PICKLE_BOOL ||
            (!is_object(&args->values[0], TENSOR) && args->values[0].type != PICKLE_OPAQUE))
            return malformed(error, "a parameter that is no tensor");
        *result = args->values[0];
        return true;
    case TENSOR_V1:
    case TENSOR_V2:
    case TENSOR_V3:
        return rebuild_tensor(context, globals[global].meaning, args, result, error);
    case STORAGE:
    case DTYPE:
        break;
    }
    return malformed(error, "a call of something that cannot be called");
}

bool torch_pickle_run(const guint8 *data, size_t size, PickleMemory *memory, GHashTable *storages,
                      size_t *used, PickleValue *result, GError **error)
{
    static const PickleHooks hooks = {
        .global = find_global, .reduce = reduce, .persistent = persistent};
    Context context = {.memory = memory, .storages = storages};
    return pickle_run(data, size, memory, &hooks, &context, used, result, error);
}
