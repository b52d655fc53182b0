/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * A view of numbers in a backend's memory, logically NCHW and row-major. How they lie in the buffer
 * is the backend's own business.
 */
#ifndef PIX_TENSOR_H
#define PIX_TENSOR_H

#include "dtype.h"
#include "shape.h"

/** PixBuffer: a piece of one device's memory; only its backend looks inside. */
typedef struct PixBuffer PixBuffer;

/**
 * PixTensor: all samples, rows and columns of channels @c_first .. @c_first + shape.c - 1 of a whole
 * tensor with @c_whole channels. Placing tensors so makes concatenation free.
 * Owns nothing. A parameter with a single dimension has the shape (1, c, 1, 1) and is F32.
 */
typedef struct {
    PixShape shape;
    PixBuffer *buffer; /* NULL: there is no such tensor */
    size_t offset;     /* in bytes, of the whole tensor in its buffer */
    int c_first, c_whole;
    PixDtype dtype; /* F32, or as the model's PixFormat says */
} PixTensor;

#endif
