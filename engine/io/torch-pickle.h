/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What the pickles of PyTorch mean: storages, and the tensors that look into them.
 * Source: torch/_utils.py (_rebuild_*), torch/serialization.py (persistent ids), PyTorch 1.13.
 */
#ifndef PIX_TORCH_PICKLE_H
#define PIX_TORCH_PICKLE_H

#include "pickle.h"
#include "torch-tensor.h"

/** torch_tensor_of: Returns: (nullable): the tensor that @value is. */
const TorchTensor *torch_tensor_of(const PickleValue *value);

/** torch_describe: As pickle_describe(); what weights are often saved as is said with what to do. */
char *torch_describe(const PickleValue *value);

/** torch_storages_new: key -> TorchStorage, owned by the table. */
GHashTable *torch_storages_new(void);

/** torch_pickle_run: As pickle_run(), on a pickle of PyTorch. @storages: those met are added. */
bool torch_pickle_run(const guint8 *data, size_t size, PickleMemory *memory, GHashTable *storages,
                      size_t *used, PickleValue *result, GError **error);

#endif
