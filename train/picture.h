/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** Pictures in memory. */
#ifndef PICTURE_H
#define PICTURE_H

#include <glib.h>

/**
 * Picture: 8 bits a channel, interleaved, rows without gaps: channels * width bytes each.
 * @channels: 1 (grey), 3 (RGB) or 4 (RGBA, alpha not multiplied in).
 */
typedef struct {
    int width, height, channels;
    guint8 *data;
} Picture;

/** picture_new: Returns: (transfer full): a picture of undefined content. */
Picture *picture_new(int width, int height, int channels);
void picture_free(Picture *picture); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Picture, picture_free)

/**
 * picture_convert:
 * Colours become grey with the weights of ITU-R 601-2; alpha is ignored where there is none to keep
 * it in, and is opaque where there was none.
 * Returns: (transfer full): a copy with so many @channels.
 * Source: Image.convert() of PIL 9.4, byte for byte.
 */
Picture *picture_convert(const Picture *picture, int channels);

/** picture_crop: Returns: (transfer full): the pixels from @x, @y on, which lie within @picture. */
Picture *picture_crop(const Picture *picture, int x, int y, int width, int height);

#endif
