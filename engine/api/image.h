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
/** pix_video_check: The same of a frame's samples; without @data, of its layout. */
bool pix_video_check(const PixVideo *video, bool data);
/** pix_video_same_layout: Whether @a and @b differ in no more than data and strides. */
bool pix_video_same_layout(const PixVideo *a, const PixVideo *b);

#endif
