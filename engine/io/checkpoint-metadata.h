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

/** PixMeasured: a mix of precisions, and what it does to pictures. */
typedef struct {
    char *mix;      /* as of pix_mix_print(); NULL: there is none, and the rest means nothing */
    double psnr;    /* dB, 0 to PIX_MAX_PSNR: of the worst picture, against FP32 */
    guint pictures; /* of so many; at least 1 */
} PixMeasured;

#define PIX_MAX_PSNR 999

/**
 * pix_metadata_read_mix:
 * @n: convolutions of the network.  @measured: (out): its string is the caller's; without one where
 * @metadata has none.  Errors: BAD_CHECKPOINT, naming the key.
 */
bool pix_metadata_read_mix(GHashTable *metadata, guint n, PixMeasured *measured, GError **error);

/** pix_metadata_new: @measured: (nullable). Returns: (transfer full): string to string, what they say. */
GHashTable *pix_metadata_new(const PixArch *arch, const PixSettings *settings,
                             const PixMeasured *measured);

#endif
