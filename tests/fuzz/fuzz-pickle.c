/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The pickle interpreter without a container around it: the input is one pickle. */
#include "fuzz.h"

#include "torch-pickle.h"

/* Reads a tensor's elements from a storage of zeros, as a container would. */
static void gather(const TorchTensor *tensor)
{
    enum { LARGEST = 1 << 20 };
    size_t bytes = pix_dtype_bytes(tensor->dtype);
    g_assert_true(tensor->count == 0 ||
                  (tensor->offset <= tensor->storage->bytes / bytes &&
                   tensor->span <= tensor->storage->bytes / bytes - tensor->offset));
    g_assert_true(tensor->count <= tensor->storage->bytes / bytes);
    if (tensor->span > LARGEST || tensor->count > LARGEST)
        return;
    guint8 *span = g_malloc0(tensor->span * bytes), *elements = g_malloc(tensor->count * bytes);
    if (tensor->count > 0 && !torch_tensor_is_packed(tensor))
        torch_tensor_gather(tensor, span, elements);
    g_free(span);
    g_free(elements);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    guint8 *copy = g_memdup2(data, size);
    GHashTable *storages = torch_storages_new();
    PickleMemory memory;
    PickleValue value;
    GError *error = NULL;
    size_t used;
    fuzz_strict();
    pickle_memory_init(&memory);
    bool ok = torch_pickle_run(copy, size, &memory, storages, &used, &value, &error);
    g_assert_true(ok == (error == NULL) && used <= size && memory.total <= PICKLE_MAX_MEMORY);
    if (ok) {
        g_free(pickle_describe(&value));
        const TorchTensor *tensor = torch_tensor_of(&value);
        if (tensor)
            gather(tensor);
        for (guint32 i = 0; value.type == PICKLE_DICT && i < value.items->n; i++)
            if ((tensor = torch_tensor_of(&value.items->values[i])))
                gather(tensor);
    }
    g_clear_error(&error);
    pickle_memory_clear(&memory);
    g_hash_table_unref(storages);
    g_free(copy);
    return 0;
}
