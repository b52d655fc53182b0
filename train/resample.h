/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** The resizing of pictures that pix2pix is trained with. */
#ifndef RESAMPLE_H
#define RESAMPLE_H

#include "picture.h"

/**
 * picture_resize_bicubic:
 * Resamples to @width x @height pixels, both at least 1; the size that it has gives a copy. Where
 * it shrinks, the filter widens to all the pixels that a new one covers. RGBA is weighted by its
 * alpha.
 *
 * Returns: (transfer full): a picture of the same channels.
 * Source: Image.resize((width, height), Image.BICUBIC) of PIL 9.4 on the modes L, RGB and RGBA,
 * byte for byte: a = -0.5, coefficients of 22 bits, rows before columns with 8 bits between.
 */
Picture *picture_resize_bicubic(const Picture *picture, int width, int height);

#endif
