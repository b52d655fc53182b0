/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** The samples of a run, and how its page shows them. */
#ifndef RUN_SAMPLES_H
#define RUN_SAMPLES_H

#include <glib.h>
#include <stdio.h>

/** RunSnapshot: What the generator made of all samples at one step. */
typedef struct {
    gint64 step, epoch; /* epoch 0 where the log does not say */
    char *folder;
} RunSnapshot;

typedef struct {
    char *fixed;          /* folder of inputs and targets */
    GPtrArray *names;     /* as a person counts; at most 16 */
    GPtrArray *snapshots; /* of RunSnapshot, by step */
} RunSamples;

/** run_samples_new: What is in @folder. @records: (element-type JsonObject): see run_log_read(). */
RunSamples *run_samples_new(const char *folder, const GPtrArray *records);
void run_samples_free(RunSamples *samples); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RunSamples, run_samples_free)

/**
 * run_samples_write_sheet:
 * Writes rows of input, output of the newest snapshot, and target, as HTML.
 * @newest_bytes: (out): what the outputs took.
 * Returns: the bytes that all pictures took.
 */
gsize run_samples_write_sheet(const RunSamples *samples, FILE *stream, gsize *newest_bytes);

/**
 * run_samples_thin: Leaves at most @most snapshots, at least two, evenly chosen, the first and the
 * last among them.
 */
void run_samples_thin(RunSamples *samples, guint most);

/**
 * run_samples_write:
 * Writes {"steps":[...],"epochs":[...],"pictures":[["data:...",null],...]} with the pictures of all
 * snapshots but the newest, name by name.
 */
void run_samples_write(const RunSamples *samples, FILE *stream);

#endif
