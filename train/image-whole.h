/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** Whether a picture's file is whole: gdk-pixbuf takes a PNG or JPEG that ends early for one. */
#ifndef IMAGE_WHOLE_H
#define IMAGE_WHOLE_H

#include <glib.h>

/** image_is_whole: @data: a file. TRUE for formats other than PNG and JPEG, too. */
gboolean image_is_whole(const guint8 *data, gsize bytes);

/** IMAGE_TAIL_BYTES: what image_has_end() wants, at least. */
#define IMAGE_TAIL_BYTES 12

/**
 * image_has_end:
 * The same, from both ends alone: TRUE for sure, FALSE perhaps, for other data may follow the end.
 * @head, @tail: the first and the last %IMAGE_TAIL_BYTES of a file.
 */
gboolean image_has_end(const guint8 *head, const guint8 *tail);

#endif
