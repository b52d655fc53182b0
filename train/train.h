/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** A training run in progress. For cmd-train.c and train-*.c. */
#ifndef TRAIN_H
#define TRAIN_H

#include "batch.h"
#include "run-folder.h"
#include "run-log.h"
#include "run-page.h"
#include "run-status.h"
#include "step.h"
#include "train-asked.h"
#include "train-state.h"

typedef struct {
    Settings settings;
    guint64 free_memory; /* before there was anything; G_MAXUINT64 if not known */
    PixDevice *device;
    Dataset *data, *val; /* val: NULL without a validation split */
    Step *step;
    Loader *loader;
    RunFolder *folder;
    RunLog *log;
    RunStatus status;
    TrainState state;
    guint64 steps;        /* behind which the run ends */
    int epoch;            /* of the last batch */
    int width, height;    /* of the batches; of the largest, where they vary */
    GError *save_error;   /* of the last save; NULL where it went well */
    char *save_told;      /* what was last said of it */
    gboolean best_failed; /* the best generator is not the one in its file */
    guint64 latest_step;  /* of latest.safetensors; 0 where this process saved none */
} Train;

void train_clear(Train *train);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Train, train_clear)

/** train_say: A line on standard error, "pix2pix: ...", that leaves the status line alone. */
void train_say(Train *train, const char *format, ...) G_GNUC_PRINTF(2, 3);
/** train_get_augment: How pictures become the network's input. */
AugmentOptions train_get_augment(const Train *train);

/* ---- train-setup.c, train-fit.c, train-describe.c: before the first step ---- */

/** train_begin_state: That of a run without a step. */
void train_begin_state(Train *train);
/** train_open_files: What is written from now on: samples, log.jsonl behind train->state, and
 * config.json. */
gboolean train_open_files(Train *train, GError **error);
/** train_open_networks: The device and the networks. @files: as StepKind.make, which may change
 * settings. */
gboolean train_open_networks(Train *train, const char *const *files, GError **error);
/** train_open_data: The data sets, with the channels of the networks; warns of what is missing. */
gboolean train_open_data(Train *train, GError **error);
/**
 * train_prepare:
 * The loader from where train->state is, the number of steps, and memory for batches. Errors: also
 * where memory or disk are too small, with the figures.
 */
gboolean train_prepare(Train *train, GError **error);
/** train_check_fit: The errors of train_prepare() that concern memory and disk; warns where the disk
 * may get full. */
gboolean train_check_fit(Train *train, GError **error);
/** train_print_needs: Returns: (transfer full): how much memory it takes, and how much there is. */
char *train_print_needs(const Train *train);
/** train_describe: Prints what will run, on what, and what it needs. */
void train_describe(const Train *train);

/* ---- train-save.c: states and generators in the run folder ---- */

/** train_save: Errors are told, kept in train->save_error, and not the end. */
void train_save(Train *train);
/** train_save_state: The state of train->state.step alone. */
gboolean train_save_state(Train *train, GError **error);
/** train_sign_state: Writes into train->state what run it belongs to. */
void train_sign_state(Train *train);
/** train_save_networks: The files latest*.safetensors, or @name instead of latest. */
gboolean train_save_networks(Train *train, const char *name, gboolean all, GError **error);
/** train_save_models: The latest; without a validation split, it is the best as well. */
gboolean train_save_models(Train *train, GError **error);
/** train_tell_unsaved: What there is of a run that ended and could not save all of it. */
void train_tell_unsaved(Train *train);
/** train_load_state: The networks' part of it. */
gboolean train_load_state(Train *train, const char *path, GError **error);

/** train_list_losses: Returns: (transfer full): their names with spaces between. */
char *train_list_losses(const Train *train);

/* ---- train-resume.c: going on ---- */

/**
 * train_resume:
 * With the run in train->folder: reads its newest state that is whole, tells of those that are not;
 * a run that was stopped before its first save begins again.
 * Errors, one line: no state is left of a run that saved some; it is of other settings or data than
 * @asked.
 */
gboolean train_resume(Train *train, const TrainAsked *asked, GError **error);

/* ---- train-validate.c: looking at the generator ---- */

/** train_validate: Metrics on the validation split, the best generator, the plateau. */
void train_validate(Train *train);
/** train_sample: Pictures of the first few pairs. */
void train_sample(Train *train);
/** train_write_page: index.html. */
void train_write_page(Train *train, RunPageState state);

/* ---- train-loop.c ---- */

/** train_run: Until the last step, a signal or an error. Returns: an exit status. */
int train_run(Train *train);

#endif
