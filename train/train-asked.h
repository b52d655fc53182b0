/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What the command line of pix2pix train asks for: settings, and what is none. */
#ifndef TRAIN_ASKED_H
#define TRAIN_ASKED_H

#include "settings.h"

typedef struct {
    Settings settings;
    char *resume;
    gboolean override;
    gint64 decay_epoch; /* cryer/pix2pix's way to say how --epochs are divided; -1: not said */
    char *name, *suffix, *checkpoints_dir; /* junyanz's way to say --output */
    char *checkpoint; /* affinelayer's way to say --resume, or --init-g for another --output */
} TrainAsked;

void train_asked_init(TrainAsked *asked);
void train_asked_clear(TrainAsked *asked);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TrainAsked, train_asked_clear)

/** train_asked_entries: Returns: (transfer container): what is none of the settings' groups; @asked
 * must live as long. */
GOptionEntry *train_asked_entries(TrainAsked *asked);
/** train_asked_finish: Makes our own options of those of other programs. */
gboolean train_asked_finish(TrainAsked *asked, GError **error);

#endif
