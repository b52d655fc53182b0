/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** Where the pairs of a data set lie: names only, no file is opened. */
#ifndef PAIR_LIST_H
#define PAIR_LIST_H

#include <glib.h>

/** Pair: two pictures under one name. */
typedef struct {
    char *name;        /* without folder and ending; another for each pair */
    char *a, *b;       /* files; b is NULL where both are side by side in a */
    int width, height; /* of each picture; 0 before they were looked at */
    guint64 bytes;     /* of the files */
} Pair;

/**
 * pair_list_side_by_side:
 * The pictures in @root/@phase, or in what stands in for it: test for val, val for test, @root for
 * train, unless it has to be @exact.
 * @folder: (out): where they are.  @notes: gets a line where that is not @root/@phase, and for
 * each pair that is not named as its file, which is the second of that name.
 * Returns: (transfer full) (element-type Pair): in the order of a person's counting.
 */
GPtrArray *pair_list_side_by_side(const char *root, const char *phase, gboolean exact,
                                  char **folder, GPtrArray *notes, GError **error);

/**
 * pair_list_two_folders:
 * Files of equal names but for their endings.
 * Errors: names without a partner, two files of one name.
 */
GPtrArray *pair_list_two_folders(const char *a, const char *b, GError **error);

/** pair_list_join: Returns: (transfer full): "a, b, c and 2 more". */
char *pair_list_join(const GPtrArray *texts, const char *separator);
/** pair_list_join_some: The same with @most of them named. */
char *pair_list_join_some(const GPtrArray *texts, const char *separator, guint most);

#endif
