/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "schedule.h"

#include <math.h>

#define STEP_FACTOR 0.1
#define PLATEAU_FACTOR 0.2
#define PLATEAU_THRESHOLD 0.01
#define PLATEAU_PATIENCE 5

double schedule_get_factor(const Schedule *schedule, double passed, guint64 reductions)
{
    double all = schedule->epochs + schedule->epochs_decay;

    switch (schedule->policy) {
    case SCHEDULE_LINEAR:
        if (passed <= schedule->epochs || schedule->epochs_decay == 0)
            return 1;
        return MAX(0, (all - passed) / schedule->epochs_decay);
    case SCHEDULE_STEP:
        return pow(STEP_FACTOR, floor(passed / schedule->decay_iters));
    case SCHEDULE_PLATEAU:
        return pow(PLATEAU_FACTOR, reductions);
    case SCHEDULE_COSINE:
        return passed < all ? 0.5 * (1 + cos(G_PI * passed / all)) : 0;
    case SCHEDULE_CONSTANT:
        return 1;
    }
    g_assert_not_reached();
}

void schedule_observe(SchedulePlateau *plateau, double value, gboolean higher_is_better)
{
    double margin = PLATEAU_THRESHOLD * fabs(plateau->best);
    gboolean better =
        higher_is_better ? value > plateau->best + margin : value < plateau->best - margin;

    if (better || (!plateau->begun && !isnan(value))) {
        plateau->begun = TRUE;
        plateau->best = value;
        plateau->bad = 0;
    } else if (++plateau->bad > PLATEAU_PATIENCE) {
        plateau->reductions++;
        plateau->bad = 0;
    }
}
