/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * How far a training is, on standard error: one line that rewrites itself on a terminal, and a new
 * line every ten seconds elsewhere.
 */
#ifndef RUN_STATUS_H
#define RUN_STATUS_H

#include <glib.h>

typedef struct {
    int epoch, epochs;   /* counted from 1 */
    guint64 step, steps; /* of the whole run */
    const char *const *names;
    const double *values; /* the losses */
    int n;
    double images_per_s;
    double wait_share;   /* of the time that went into waiting for data: 0 to 1 */
    double seconds_left; /* negative where not known */
} RunStatusFigures;

typedef struct {
    gint64 shown; /* in microseconds of the monotonic clock */
    gboolean terminal, utf8, dirty;
} RunStatus;

void run_status_init(RunStatus *status);
/** run_status_update: To be called at every step; shows it where the time for a line has come. */
void run_status_update(RunStatus *status, const RunStatusFigures *figures);
/** run_status_clear: Takes the line off the terminal, so that another message can be printed. */
void run_status_clear(RunStatus *status);

/**
 * run_status_format:
 * @width: columns that it may take; of what does not fit, epoch, time left and then the losses are
 * the last to be left out. 0: no limit and no bar. @utf8: whether the bar may be drawn in finer
 * steps than ASCII allows.
 * Returns: (transfer full): the line, without an end.
 */
char *run_status_format(const RunStatusFigures *figures, int width, gboolean utf8);

#endif
