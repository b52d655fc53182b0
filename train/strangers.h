/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** Options of other pix2pix implementations that are none here: what takes their place is told. */
#ifndef STRANGERS_H
#define STRANGERS_H

#include <glib.h>

typedef struct {
    const char *option; /* with dashes, see settings_spell() */
    gboolean flag;      /* takes no value */
    const char *only;   /* the values that mean nothing special, "1|1.0"; with any other, or as a
                           flag, it is refused. NULL: never, there is a note */
    const char *text;
} Stranger;

/** Those of pix2pix train and of pix2pix test; an empty row ends them. */
extern const Stranger strangers_train[], strangers_test[];

/** strangers_group: Returns: (transfer full): @strangers as options that --help does not show. */
GOptionGroup *strangers_group(const Stranger *strangers);

#endif
