/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The folder of a training run:
 *
 *   config.json                      every setting
 *   latest.safetensors               the generator of the last save
 *   latest-discriminator.safetensors and its discriminator
 *   best.safetensors                 the best generator by the validation metric
 *   states/state-00001200.safetensors  all that is needed to go on from step 1200
 *   generators/epoch-0005.safetensors  those that --save-epochs asks for
 *   samples/                         see run-page.h; or elsewhere
 *   log.jsonl, index.html            see run-log.h and run-page.h
 *   lock                             held by the process that trains
 */
#ifndef RUN_FOLDER_H
#define RUN_FOLDER_H

#include <glib.h>

/** RunFolder: a folder that this process holds the lock of. */
typedef struct RunFolder RunFolder;

/**
 * run_folder_make:
 * For a new run; makes the folder where it is missing. Errors, one line that names @path: it holds
 * a run already, another process uses it, it cannot be made.
 */
RunFolder *run_folder_make(const char *path, GError **error);
/** run_folder_open: For a run that is there, by its config.json or its states. Removes what a killed process was writing. */
RunFolder *run_folder_open(const char *path, GError **error);
/** run_folder_close: Gives the lock back. Accepts NULL. */
void run_folder_close(RunFolder *folder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RunFolder, run_folder_close)

const char *run_folder_get_path(const RunFolder *folder);
/**
 * run_folder_file:
 * Returns: (transfer full): the path of "states", "config.json", ... in it; an absolute @name as it
 * is.
 */
char *run_folder_file(const RunFolder *folder, const char *name);
/** run_folder_make_folder: Makes folder @name, as of run_folder_file(), where it is missing. */
gboolean run_folder_make_folder(const RunFolder *folder, const char *name, GError **error);

/** run_folder_clean_samples: Removes what a killed process was writing into the samples in @name, as
 * of run_folder_file(). */
void run_folder_clean_samples(const RunFolder *folder, const char *name);

/** run_folder_state: Returns: (transfer full): the path of the state of @step. */
char *run_folder_state(const RunFolder *folder, guint64 step);
/** run_folder_list_states: Returns: (transfer full) (element-type filename): paths, newest first. */
GPtrArray *run_folder_list_states(const RunFolder *folder);
/**
 * run_folder_prune_states:
 * Deletes all but the newest @keep of those up to @step, the one that was just saved. Neither those
 * behind it, which could not be read, nor what is no file that can be read are counted.
 */
void run_folder_prune_states(const RunFolder *folder, guint64 step, guint keep);
/** run_folder_has_broken_states: Whether any was set aside. */
gboolean run_folder_has_broken_states(const RunFolder *folder);
/** run_folder_set_aside: Renames a broken state, so that it is neither tried nor counted again. */
void run_folder_set_aside(const char *state);

/**
 * run_folder_get_free_bytes:
 * What this user may still write to @path, or to where it would be made; %G_MAXUINT64 if not known.
 */
guint64 run_folder_get_free_bytes(const char *path);

#endif
