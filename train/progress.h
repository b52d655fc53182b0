/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * How far a command is, on standard error: nothing for the first two seconds, then one line that
 * rewrites itself on a terminal, and a new line every ten seconds elsewhere.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <glib.h>

typedef struct {
    const char *what; /* "images" */
    int total;
    gint64 start, shown; /* in microseconds of the monotonic clock */
    gboolean terminal, dirty;
} Progress;

void progress_init(Progress *progress, const char *what, int total);
/** progress_update: @done of the total are through. */
void progress_update(Progress *progress, int done);
/** progress_clear: Takes the line off the terminal, so that another message can be printed. */
void progress_clear(Progress *progress);

#endif
