/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "torch-tensor.h"

#include "checked.h"

#include <string.h>

bool torch_tensor_measure(TorchTensor *tensor, guint64 numel)
{
    if (!pix_checked_product(tensor->dims, tensor->rank, &tensor->count))
        return false;
    tensor->span = 0;
    if (tensor->count == 0)
        return true;
    guint64 last = 0, step;
    for (int i = 0; i < tensor->rank; i++)
        if (!pix_checked_mul(tensor->dims[i] - 1, tensor->strides[i], &step) ||
            !pix_checked_add(last, step, &last))
            return false;
    return pix_checked_add(last, 1, &tensor->span) &&
           pix_checked_inside(tensor->offset, tensor->span, numel);
}

bool torch_tensor_is_packed(const TorchTensor *tensor)
{
    guint64 stride = 1;
    for (int i = tensor->rank - 1; i >= 0; i--) {
        if (tensor->dims[i] != 1 && tensor->strides[i] != stride)
            return false;
        stride *= tensor->dims[i]; /* at most the tensor's count */
    }
    return true;
}

void torch_tensor_gather(const TorchTensor *tensor, const guint8 *span, guint8 *elements)
{
    size_t bytes = pix_dtype_bytes(tensor->dtype);
    guint64 index[PIX_MAX_RANK] = {0};
    guint64 at = 0;
    for (guint64 i = 0; i < tensor->count; i++, elements += bytes) {
        memcpy(elements, span + at * bytes, bytes);
        /* The next element's index, and where it lies: as an odometer counts. */
        for (int d = tensor->rank - 1; d >= 0; d--) {
            at += tensor->strides[d];
            if (++index[d] < tensor->dims[d])
                break;
            at -= tensor->strides[d] * tensor->dims[d];
            index[d] = 0;
        }
    }
}
