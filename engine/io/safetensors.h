/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The native container. Reading: container-safetensors.c, behind container.h. Writing: this.
 * Source: the safetensors format, https://github.com/huggingface/safetensors (README, "Format").
 */
#ifndef PIX_SAFETENSORS_H
#define PIX_SAFETENSORS_H

#include <pix2pix/pix-types.h>

#include "container.h"

/** PixTensorSource: one tensor to write. */
typedef struct {
    const char *name;
    PixDtype dtype;
    int rank;
    guint64 dims[PIX_MAX_RANK];
    bool checksum; /* I64 (1), the last one: filled with that of all bytes of the file before it */
} PixTensorSource;

/**
 * PixFill:
 * Gives the little-endian bytes of tensor @index. Called once for each, in order, so that one
 * tensor is in memory at a time.
 * @bytes: of the tensor's size, to be filled.
 */
typedef bool (*PixFill)(gpointer user_data, guint index, void *bytes, GError **error);

/**
 * pix_safetensors_write:
 * Writes @file as one atomic unit: a temporary file in the same folder, flushed (fsync), read back
 * (size and header, and everything if there is a checksum), renamed over @file, the folder flushed. On failure the temporary file is gone
 * and @file is as before.
 * @metadata: (nullable): string to string, written in order of key.  Header padded with spaces to a
 * multiple of 8. Errors: IO, with the file's name, the number of bytes needed and the system's
 * reason.
 */
bool pix_safetensors_write(const char *file, const PixTensorSource *tensors, guint n_tensors,
                           GHashTable *metadata, PixFill fill, gpointer user_data, GError **error);

/**
 * pix_safetensors_verify:
 * Whether the checksum at the end of @file is that of the bytes before it.
 * Errors: NOT_FOUND, IO, BAD_CHECKPOINT; the text starts with @file and a colon.
 */
bool pix_safetensors_verify(const char *file, GError **error);

#endif
