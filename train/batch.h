/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Batches of pairs in the order of training. What they hold is a function of the data set, the
 * options and the seed: threads only decode ahead, and a loader that starts in the middle goes on
 * as one that came there by itself, byte for byte.
 */
#ifndef BATCH_H
#define BATCH_H

#include "augment.h"
#include "dataset.h"

typedef struct {
    const Dataset *dataset; /* must live longer than the loader */
    AugmentOptions augment;
    int batch_size;
    guint threads; /* that decode ahead; 0 decodes in loader_next() */
    guint64 seed;
    gboolean serial; /* in the order of the names; otherwise each epoch in another one */
    guint epoch;     /* where to start: the first is 1 */
    guint64 index;   /* and the batch in it; the first is 0 */
} LoaderOptions;

/** Batch: all of it is undefined after the next call of the loader. */
typedef struct {
    int n, width, height;
    const float *in;    /* (n, in_channels, height, width), in [-1, 1] */
    const float *out;   /* (n, out_channels, height, width) */
    const guint *pairs; /* n indices into the data set */
    guint epoch;        /* from 1 */
    guint64 index;      /* of the batch in its epoch, from 0 */
    guint64 per_epoch;  /* batches: pairs / batch_size, at least one */
} Batch;

/** Loader: Thread-safety: one thread at a time. */
typedef struct Loader Loader;

/**
 * loader_new:
 * Pairs that do not fill a batch are left out of an epoch, others each time; a data set smaller
 * than a batch repeats. At most 2 + threads batches are in memory, and none before the first call
 * of loader_next(): what does not fit can be found out before.
 * Errors: a pair that the augmentation cannot take; in batches of more than one, two pairs whose
 * network sizes differ. Both name the files.
 */
Loader *loader_new(const LoaderOptions *options, GError **error);
/** loader_free: Stops at once, whatever the threads are at. Accepts NULL. */
void loader_free(Loader *loader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Loader, loader_free)

/** loader_get_size: (out): of all batches; 0 x 0 where it varies, in batches of one. */
void loader_get_size(const Loader *loader, int *width, int *height);
/** loader_count_batches: In an epoch of @pairs. */
guint64 loader_count_batches(guint pairs, int batch_size);
/** loader_get_batches: In an epoch. */
guint64 loader_get_batches(const Loader *loader);

/**
 * loader_next:
 * Never ends. A pair that can no longer be read is replaced by another, drawn from seed, epoch and
 * position.
 * Returns: (transfer none): the next batch.  Errors: more than 1 % of the pairs are broken.
 */
const Batch *loader_next(Loader *loader, GError **error);

/** loader_get_problems: (element-type utf8): one line for each pair that broke since the data set
 * was opened. */
const GPtrArray *loader_get_problems(const Loader *loader);
/** loader_get_skipped: How often a pair was replaced so far. */
guint64 loader_get_skipped(const Loader *loader);
/** loader_get_notes: (element-type utf8): known from the start: that sides are rounded, say. */
const GPtrArray *loader_get_notes(const Loader *loader);

#endif
