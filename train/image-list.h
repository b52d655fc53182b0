/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** The pictures in a folder. */
#ifndef IMAGE_LIST_H
#define IMAGE_LIST_H

#include <glib.h>

/** picture_is_name: Whether @file ends as pictures do. */
gboolean picture_is_name(const char *file);

/**
 * picture_list:
 * The pictures in @folder, sorted as a person counts: 2.png before 10.png.
 * Returns: (transfer full) (element-type filename): paths; the error says if there are none.
 */
GPtrArray *picture_list(const char *folder, GError **error);

#endif
