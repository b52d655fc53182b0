/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The learning rate over a run, as a factor of what it starts with. Time is counted in epochs and
 * their fractions, so that it falls from step to step and not in stairs.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include <glib.h>

/** In the order of the setting lr_policy. */
typedef enum {
    SCHEDULE_LINEAR,
    SCHEDULE_STEP,
    SCHEDULE_PLATEAU,
    SCHEDULE_COSINE,
    SCHEDULE_CONSTANT,
} SchedulePolicy;

typedef struct {
    SchedulePolicy policy;
    gint64 epochs, epochs_decay; /* at the full rate, and after those */
    gint64 decay_iters;          /* of the policy step: epochs between two reductions */
} Schedule;

/**
 * schedule_get_factor:
 * @passed: epochs before this step: 0 for the first, 1.5 in the middle of the second.
 * @reductions: of the policy plateau, so far.
 *
 * linear: 1 for `epochs` epochs, then on a straight line that is 0 at the end of the last epoch:
 * the first epoch of decay is below 1 from its second step on, the last one above 0 to its last.
 * step: a tenth every `decay_iters` epochs. cosine: half a period over all epochs, 0 at their end.
 * plateau: a fifth for every reduction. constant: 1.
 * The reference's linear decay comes one epoch early and leaves the last one at 0; its cosine
 * climbs again.
 *
 * Returns: (0, 1] for @passed below epochs + epochs_decay; 0 behind those of linear and cosine.
 */
double schedule_get_factor(const Schedule *schedule, double passed, guint64 reductions);

/** SchedulePlateau: what the policy plateau has seen. All zero at first. */
typedef struct {
    gboolean begun;
    double best;
    guint64 bad; /* values in a row that were no better */
    guint64 reductions;
} SchedulePlateau;

/**
 * schedule_observe:
 * Takes a value of the validation metric; the sixth in a row that is not 1 % better than the best
 * reduces the rate. NaN counts as no better.
 * Source: torch.optim.lr_scheduler.ReduceLROnPlateau with the reference's factor 0.2, threshold
 * 0.01 (relative) and patience 5.
 */
void schedule_observe(SchedulePlateau *plateau, double value, gboolean higher_is_better);

#endif
