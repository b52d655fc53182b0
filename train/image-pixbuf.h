/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** Pictures as gdk-pixbuf has them. Only image-*.c include this. */
#ifndef IMAGE_PIXBUF_H
#define IMAGE_PIXBUF_H

#include "picture.h"

#include <gdk-pixbuf/gdk-pixbuf.h>

/** picture_from_pixbuf: @pixbuf: of 3 or 4 channels, of 8 bits as all of them.  @channels: see
 * picture_convert(). */
Picture *picture_from_pixbuf(const GdkPixbuf *pixbuf, int channels);
/** picture_as_pixbuf: Returns: (transfer full): a view of @picture, or, of grey, a copy. */
GdkPixbuf *picture_as_pixbuf(const Picture *picture);

#endif
