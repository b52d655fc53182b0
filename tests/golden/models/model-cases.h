/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The checkpoints of this folder and what they are; and copies of them with something changed.
 */
#ifndef MODEL_CASES_H
#define MODEL_CASES_H

#include <pix2pix/pix.h>

#include "container.h"

/** ModelCase: one network of one file. */
typedef struct {
    const char *file;
    const char *domain; /* (nullable) */
    const char *io;     /* NAME of NAME.io.safetensors */
    const char *architecture, *layout, *container, *norm;
    int in_channels, out_channels, side, multiple;
    gboolean is_generator, has_dropout, has_running;
    guint64 parameters;
    const char *note; /* (nullable): what the notes must speak of */
} ModelCase;

extern const ModelCase model_cases[];
extern const guint n_model_cases;

/** model_path: Returns: (transfer full): of a file in this folder. */
char *model_path(const char *name);

/** temporary_path: Returns: (transfer full): of a file to be written by a test. */
char *temporary_path(const char *name);

/** open_model: Opens a file of this folder; fails the test where that fails. */
PixCheckpoint *open_model(const char *name, const char *domain);

/** fail_to_open: Opens @path, which must fail. Returns: (transfer full): the error. */
GError *fail_to_open(const char *path, const char *domain);

/** assert_mentions: @text must be one line that contains @part. */
void assert_mentions(const char *text, const char *part);

/** EditTensor: one tensor of a file that is being rewritten; all its memory is the list's. */
typedef struct {
    char *name;
    PixDtype dtype;
    int rank;
    guint64 dims[PIX_MAX_RANK];
    float *values; /* as many as the dims say */
} EditTensor;

/** Edit: a safetensors file in memory. */
typedef struct {
    GPtrArray *tensors; /* of EditTensor */
    GHashTable *metadata;
} Edit;

Edit *edit_new(const char *model_name);
void edit_free(Edit *edit);
/** edit_find: The tensor @name, which must be there. */
EditTensor *edit_find(Edit *edit, const char *name);
void edit_remove(Edit *edit, const char *name);
/** edit_add: A vector of zeros. */
EditTensor *edit_add(Edit *edit, const char *name, PixDtype dtype, guint64 count);
void edit_set(Edit *edit, const char *key, const char *value);
/** edit_write: Returns: (transfer full): the path of the file. F32, F16, BF16 keep their values. */
char *edit_write(Edit *edit, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Edit, edit_free)

#endif
