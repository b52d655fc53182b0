/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The JSON header of a safetensors file: an object of tensors, each an object of "dtype", "shape"
 * and "data_offsets", and "__metadata__", an object of strings. The parser knows this shape and
 * nothing else, so its depth is bounded by the format.
 */
#ifndef PIX_SAFETENSORS_HEADER_H
#define PIX_SAFETENSORS_HEADER_H

#include "dtype.h"

#include <stdbool.h>

#define PIX_SAFETENSORS_MAX_HEADER 100000000 /* bytes; the reference implementation's limit */

/** PixHeaderTensor: one tensor; offsets are bytes of the data after the header. */
typedef struct {
    const char *name;
    PixDtype dtype;
    int rank;
    guint64 dims[8];
    guint64 count;
    guint64 begin, end;
} PixHeaderTensor;

/**
 * pix_safetensors_parse:
 * @text: @size bytes, any.  @data_bytes: how much follows the header in the file.
 * @strings: where the names go.  @tensors: of PixHeaderTensor; filled in order of offset, contiguous
 * from 0 to @data_bytes.  @metadata: string to string, filled.
 * Errors: BAD_CHECKPOINT, UNSUPPORTED for element types that the engine does not know.
 */
bool pix_safetensors_parse(const char *text, size_t size, guint64 data_bytes, GStringChunk *strings,
                           GArray *tensors, GHashTable *metadata, GError **error);

#endif
