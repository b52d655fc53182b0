/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** One batch on its way: dealt its pairs, filled by some thread, handed out by the loader. */
#ifndef BATCH_SLOT_H
#define BATCH_SLOT_H

#include "batch.h"

/** BatchFailure: a pair that could not be read, and why. */
typedef struct {
    guint pair;
    char *message;
} BatchFailure;

typedef struct {
    Batch batch;
    float *in, *out; /* the memory behind those of the batch */
    guint *pairs;
    gsize pixels;     /* that @in and @out have room for */
    GArray *failures; /* of BatchFailure */
    guint replaced;   /* pairs */
    gboolean gave_up; /* a pair could neither be read nor replaced */
    gboolean ready;   /* the loader's */
} BatchSlot;

void batch_slot_init(BatchSlot *slot, int n, guint64 per_epoch);
void batch_slot_clear(BatchSlot *slot);

/**
 * batch_slot_fill:
 * Reads the pairs that were dealt, and others in place of those that cannot be read.
 * @stop: (atomic): leaves the rest as it is once this is not 0.
 */
void batch_slot_fill(BatchSlot *slot, const LoaderOptions *options, const int *stop);

#endif
