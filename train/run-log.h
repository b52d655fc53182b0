/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * log.jsonl of a run: one JSON object a line. Every record has "type", "step" and "epoch"; the
 * names of losses are whatever the training step calls them.
 *
 *   {"type":"train","step":100,"epoch":1,"images":100,"losses":{"G_L1":0.4},
 *    "learning_rate":0.0002,"images_per_s":8.1,"step_ms":120,"data_wait_ms":0.3}
 *   {"type":"validation","step":400,"epoch":1,"L1":0.2,"PSNR":17.5,"SSIM":0.3,"SWD":21.5,
 *    "SWD_levels":[20,23],"n":100,"seconds":4.1}
 *   {"type":"samples","step":400,"epoch":1,"folder":"samples/00000400"}
 *   {"type":"note","step":0,"epoch":0,"text":"..."}
 *
 * A log that cannot be written never ends a training: of the adding functions, the first to fail
 * returns FALSE with an error of one line; those after it try again and say nothing.
 */
#ifndef RUN_LOG_H
#define RUN_LOG_H

#include "metrics.h"

typedef struct RunLog RunLog;

/** RunLogTrain: What a stretch of training steps was like, on average. */
typedef struct {
    guint64 step; /* the last of them, counted from 1 over the whole run */
    int epoch;
    guint64 images;           /* seen since the run began */
    const char *const *names; /* of the losses */
    const double *losses;
    int n;
    double learning_rate, images_per_s;
    double step_ms, data_wait_ms; /* of one step; the wait is part of it */
} RunLogTrain;

/**
 * run_log_open:
 * Opens @file for adding, first dropping every record behind @step, 0 for a new run, and every line
 * that is no record, such as one cut short. @file is replaced as a whole or left as it was.
 */
RunLog *run_log_open(const char *file, guint64 step, GError **error);
void run_log_close(RunLog *log); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RunLog, run_log_close)

/** run_log_train: Nine significant digits; a loss that is not finite becomes null. */
gboolean run_log_train(RunLog *log, const RunLogTrain *train, GError **error);
gboolean run_log_validation(RunLog *log, guint64 step, int epoch, const MetricsResult *result,
                            double seconds, GError **error);
/** run_log_samples: @folder: relative to the run's: "samples/00000400"; absolute elsewhere. */
gboolean run_log_samples(RunLog *log, guint64 step, int epoch, const char *folder, GError **error);
gboolean run_log_note(RunLog *log, guint64 step, int epoch, const char *text, GError **error);

/**
 * run_log_read:
 * Returns: (transfer full) (element-type JsonObject): the records of @file in order. Lines that are
 * none are left out.
 */
GPtrArray *run_log_read(const char *file, GError **error);

#endif
