/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** Folders with generators: of a run, or as other implementations make them. */
#ifndef MODEL_FOLDER_H
#define MODEL_FOLDER_H

#include <glib.h>

/** model_folder_is_run: Whether pix2pix train made @path. */
gboolean model_folder_is_run(const char *path);

/**
 * model_folder_find:
 * @epoch: (nullable): "best" or "latest", or the number of an epoch, or what else stands in a name;
 * NULL is the best that there is.
 * Returns: (transfer full) (nullable): in a run, the file that this means, which may not be there.
 * Elsewhere junyanz's EPOCH_net_G.pth or cryer's generator_EPOCH.pth, if it is in @path.
 */
char *model_folder_find(const char *path, const char *epoch);

/**
 * model_folder_name:
 * What junyanz's options --checkpoints_dir (nullable), --name (nullable) and --suffix (nullable) mean.
 * @path: (out) (transfer full) (nullable): NULL without a name.  Errors: a suffix without a name, or
 * one with fields such as {netG}.
 */
gboolean model_folder_name(const char *checkpoints_dir, const char *name, const char *suffix,
                           char **path, GError **error);

#endif
