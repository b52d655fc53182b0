/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The page of a training run: curves and samples in one HTML file that fetches nothing from
 * anywhere.
 */
#ifndef RUN_PAGE_H
#define RUN_PAGE_H

#include <glib.h>

/** RunPageState: what the page says of the run; while it is running, it loads itself anew. */
typedef enum {
    RUN_PAGE_RUNNING,
    RUN_PAGE_STOPPED, /* before its end, and can go on */
    RUN_PAGE_FINISHED,
} RunPageState;

/**
 * run_page_write:
 * Makes index.html in @run_folder, which is replaced as a whole or left as it was, out of what is
 * there of config.json (any object; its plain values are shown), log.jsonl (see run-log.h), the names
 * of states (see run-folder.h), samples/fixed/NAME-input.png and NAME-target.png, and
 * samples/STEP/NAME.png, STEP in 8 digits; the setting samples_dir takes the place of samples.
 * What is missing or broken is left out. At most 16 samples at 40 steps are shown, the first step
 * and the last among them, at most 2000 points a curve, and about 20 MB in all.
 * Errors: one line that names index.html, where it cannot be written.
 */
gboolean run_page_write(const char *run_folder, RunPageState state, GError **error);

#endif
