/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** Random numbers that a run draws alike with any number of threads, and after resuming. */
#ifndef CHANCE_H
#define CHANCE_H

#include <glib.h>

typedef enum {
    CHANCE_ORDER,       /* of the pairs in an epoch */
    CHANCE_AUGMENT,     /* crop and flip of a pair */
    CHANCE_REPLACEMENT, /* of a pair that cannot be read */
} ChancePurpose;

/** chance_new: Returns: (transfer full): a source whose numbers are a function of the arguments. */
GRand *chance_new(guint64 seed, guint epoch, guint64 position, ChancePurpose purpose);

#endif
