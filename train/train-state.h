/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Where a training run is, apart from its networks: what stands in the metadata of a state file.
 * Chance needs no place here: all of it is drawn from the seed and these counters.
 */
#ifndef TRAIN_STATE_H
#define TRAIN_STATE_H

#include "schedule.h"

#define TRAIN_STATE_MAX_LOSSES 16

typedef struct {
    char *kind;     /* of the step: "pix2pix" */
    char *settings; /* settings_hash() */
    char *config;   /* settings_store() */
    char *before;  /* hash of the settings in config.json that --override is about to replace; "" */
    char *dataset; /* fingerprint_make() */
    guint64 pairs; /* in the data set */
    guint64 seed;
    guint64 step;    /* done so far */
    guint64 epoch;   /* of the next batch, from 1 */
    guint64 batch;   /* its place in the epoch, from 0 */
    guint64 batches; /* in an epoch */
    SchedulePlateau plateau;
    char *best_metric; /* "swd" */
    double best;       /* NaN before the first validation */
    guint64 best_step;
    guint64 validated, sampled;          /* the last step with a validation, with samples */
    char *losses;                        /* their names, with spaces between */
    guint64 summed;                      /* steps since the last line of the log */
    double sums[TRAIN_STATE_MAX_LOSSES]; /* of their losses */
} TrainState;

void train_state_init(TrainState *state);
void train_state_clear(TrainState *state);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TrainState, train_state_clear)

/** train_state_write: Returns: (transfer full): string to string. */
GHashTable *train_state_write(const TrainState *state);
/**
 * train_state_read:
 * @state: (out): cleared first.  @file: what the message calls the file.
 * Errors: one line that names @file and the first field that is missing, no number, or one that no
 * run can have come to.
 */
gboolean train_state_read(TrainState *state, GHashTable *metadata, const char *file,
                          GError **error);

#endif
