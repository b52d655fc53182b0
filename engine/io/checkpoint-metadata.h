/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What a native checkpoint says of itself beside its tensors: checkpoint-format.md, section 3.
 */
#ifndef PIX_CHECKPOINT_METADATA_H
#define PIX_CHECKPOINT_METADATA_H

#include "arch.h"

/** PixSettings: what a checkpoint knows beside architecture and weights. */
typedef struct {
    PixStatistics statistics; /* FRAME or RUNNING */
    int width, height;        /* of the frames that it is made for */
    PixPrecision precision;   /* of its kernels in the file; FP32 for foreign files */
} PixSettings;

/** pix_metadata_is_native: Whether @metadata claims to follow the format. */
bool pix_metadata_is_native(GHashTable *metadata);

/**
 * pix_metadata_read:
 * Errors: UNSUPPORTED for a later major version; BAD_CHECKPOINT, naming the key.
 */
bool pix_metadata_read(GHashTable *metadata, PixArch *arch, PixSettings *settings, GError **error);

/** pix_metadata_new: Returns: (transfer full): string to string, what the two say. */
GHashTable *pix_metadata_new(const PixArch *arch, const PixSettings *settings);

#endif
