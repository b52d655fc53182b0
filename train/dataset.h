/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * A list of pairs of pictures on disk: side by side in one file, A on the left, or under one name
 * in two folders. Opening it looks at every file, so that no broken one ends the training later.
 */
#ifndef DATASET_H
#define DATASET_H

#include "picture.h"

#define DATASET_NAMED 20 /* so many broken pairs are named, the others counted */

/** DatasetChecked: @done of @total pairs are decoded; called some times a second, in the thread that
 * opens the data set. Returns: FALSE to leave the rest unseen. */
typedef gboolean DatasetChecked(guint done, guint total, gpointer data);

typedef struct {
    const char *root, *phase;        /* pictures side by side in root/phase, or */
    const char *a_folder, *b_folder; /* equal names in two folders; endings may differ */
    gboolean exact;                  /* nothing stands in for root/phase */
    gboolean b_to_a;                 /* B is the input, A the target */
    int in_channels, out_channels;   /* 1, 3 or 4 */
    int max_size;                    /* so many pairs, in the order of their names; 0 for all */
    gboolean keep_broken;            /* they stay in the numbering, and cannot be read */
    guint decode_threads;            /* that decode every picture; 0: nobody does */
    DatasetChecked *on_checked;      /* (nullable): with those; and what it is given */
    gpointer on_checked_data;
} DatasetOptions;

/** Dataset: Thread-safety: immutable once open; read from any thread. */
typedef struct Dataset Dataset;

/**
 * dataset_open:
 * Lists the pairs as a person counts, 2.png before 10.png, and checks header and end of every file;
 * folders and files that are not named as pictures are passed over. What is broken only in between
 * is found by decoding; it stays in the numbering in any case, as it would without. Without root/val,
 * root/test is taken, and the other way round; without root/train, root itself: a note says so.
 *
 * Errors, one line: a folder that is missing, cannot be read or holds no pairs, with what it does
 * hold; partners that are missing; more than 1 % of broken files.
 */
Dataset *dataset_open(const DatasetOptions *options, GError **error);
void dataset_free(Dataset *dataset); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Dataset, dataset_free)

/** dataset_get_options: With the strings that it was opened with. */
const DatasetOptions *dataset_get_options(const Dataset *dataset);
/** dataset_get_folder: Where it was found: "root/train", or "A and B". */
const char *dataset_get_folder(const Dataset *dataset);
guint dataset_get_n(const Dataset *dataset);
/** dataset_get_name: The file's name without folder and ending; each pair has its own. */
const char *dataset_get_name(const Dataset *dataset, guint index);
/** dataset_is_broken: Whether the pair was found to be, and is there because of keep_broken. */
gboolean dataset_is_broken(const Dataset *dataset, guint index);
/** dataset_get_bytes: Of the pair's files when the data set was opened; 0 of a broken one. */
guint64 dataset_get_bytes(const Dataset *dataset, guint index);
/** dataset_get_size: Of each picture of the pair; 0 x 0 of a broken one. */
void dataset_get_size(const Dataset *dataset, guint index, int *width, int *height);
/** dataset_get_problems: (element-type utf8): one line for each pair that is broken. */
const GPtrArray *dataset_get_problems(const Dataset *dataset);
/** dataset_get_notes: (element-type utf8): one line for each thing that a person should know. */
const GPtrArray *dataset_get_notes(const Dataset *dataset);

/**
 * dataset_read:
 * @in, @out: (out) (transfer full): of the size that the pair had when the data set was opened.
 * Errors: those of picture_read(); another size by now; broken since the data set was opened, even
 * if it can be read again.
 */
gboolean dataset_read(const Dataset *dataset, guint index, Picture **in, Picture **out,
                      GError **error);

#endif
