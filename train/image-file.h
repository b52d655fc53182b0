/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** Picture files: decoding and encoding. Only image-*.c know the picture library, gdk-pixbuf. */
#ifndef IMAGE_FILE_H
#define IMAGE_FILE_H

#include "picture.h"

/**
 * picture_read_as:
 * Reads the formats that gdk-pixbuf knows: PNG and JPEG always, TIFF and WebP where its loaders are
 * installed. Turned as its EXIF orientation says; 16-bit channels lose their lower half.
 * @channels: what picture_convert() makes of it, 1, 3 or 4.
 * Errors: one line that names @file, for a file that is missing, is no regular file, is of no known
 * type, is cut short, or has more than 64 Mi pixels, which is found out before any memory is taken
 * for them.
 */
Picture *picture_read_as(const char *file, int channels, GError **error);
/** picture_read: As RGB. */
Picture *picture_read(const char *file, GError **error);

/**
 * picture_check:
 * Finds most of the errors of picture_read() without decoding: looks at both ends of @file.
 * @width, @height: (out): what picture_read() would give.
 */
gboolean picture_check(const char *file, int *width, int *height, GError **error);

/* ---- image-pixbuf.c ---- */

/** picture_scale: Bilinear; shrinking averages over all the pixels that a new one covers. */
Picture *picture_scale(const Picture *picture, int width, int height);

/* ---- image-write.c ---- */

/**
 * picture_encode_small:
 * As PNG where it has few colours, as drawn label maps do, and as JPEG where it has many.
 * @mime: (out): "image/png" or "image/jpeg".
 */
GBytes *picture_encode_small(const Picture *picture, const char **mime, GError **error);

/**
 * picture_write_png:
 * @file is replaced as a whole, or left as it was. The bytes are a function of the pixels alone.
 * Grey is written as RGB, which reads back as the same grey.
 */
gboolean picture_write_png(const Picture *picture, const char *file, GError **error);

#endif
