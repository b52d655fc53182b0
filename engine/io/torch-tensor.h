/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Tensors as PyTorch describes them: a storage seen through offset, sizes and strides. These are
 * checked once, by torch_tensor_measure(), so that whoever reads a tensor may trust them.
 */
#ifndef PIX_TORCH_TENSOR_H
#define PIX_TORCH_TENSOR_H

#include "container.h"

/** TorchStorage: one block of elements in the file. */
typedef struct {
    char *key;        /* its name in the file */
    const char *type; /* "FloatStorage" */
    int dtype;        /* a PixDtype; PIX_DTYPE_COUNT for those that the engine does not know */
    bool untyped;     /* bytes; every tensor says its own type */
    guint element_bytes;
    guint64 numel, bytes;
    guint64 place; /* for the container: where the elements are */
    bool checked;  /* for the container */
} TorchStorage;

/** TorchTensor: offset and strides in elements. All of it is inside the storage. */
typedef struct {
    TorchStorage *storage;
    PixDtype dtype;
    int rank;
    guint64 dims[PIX_MAX_RANK], strides[PIX_MAX_RANK];
    guint64 count, offset;
    guint64 span; /* elements from the first one to the last one, both included */
} TorchTensor;

/** torch_tensor_measure: Sets count and span. Returns: whether every element lies within the first
 * @numel of the storage. */
bool torch_tensor_measure(TorchTensor *tensor, guint64 numel);

/** torch_tensor_is_packed: Whether its elements lie in the order of its dims, without gaps. */
bool torch_tensor_is_packed(const TorchTensor *tensor);

/** torch_tensor_gather: Copies the elements that @span holds, in the order of the dims.
 * @span: tensor->span elements, the first being the tensor's first. */
void torch_tensor_gather(const TorchTensor *tensor, const guint8 *span, guint8 *elements);

#endif
