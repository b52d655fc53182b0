/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What an image view must be before anybody follows its pointers.
 */
#ifndef PIX_IMAGE_H
#define PIX_IMAGE_H

#include <pix2pix/pix.h>
#include <stdbool.h>

/** pix_image_check: Whether @image has pixels, and its channels lie inside them. */
bool pix_image_check(const PixImage *image);

#endif
