/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Pictures: decoding, scaling and encoding. The only file of the command that knows a picture
 * library (gdk-pixbuf).
 */
#ifndef IMAGE_FILE_H
#define IMAGE_FILE_H

#include <glib.h>

/** Picture: RGB, 8 bits a channel, rows without gaps: 3 * width bytes each. */
typedef struct {
    int width, height;
    guint8 *data;
} Picture;

/** picture_new: Returns: (transfer full): a picture of undefined content. */
Picture *picture_new(int width, int height);
void picture_free(Picture *picture); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Picture, picture_free)

/**
 * picture_read:
 * Reads the formats that gdk-pixbuf knows, PNG and JPEG among them. Turned as its EXIF orientation
 * says; transparency is ignored, as PIL's convert('RGB') does; 16-bit channels lose their lower
 * half. Errors: one line that names @file, for a file that is missing, is no regular file, is cut
 * short, or has more than 64 Mi pixels, which is found out before any memory is taken for them.
 */
Picture *picture_read(const char *file, GError **error);

/** picture_crop: Returns: (transfer full): the pixels from @x, @y on, which lie within @picture. */
Picture *picture_crop(const Picture *picture, int x, int y, int width, int height);

/** picture_scale: Bilinear; shrinking averages over all the pixels that a new one covers. */
Picture *picture_scale(const Picture *picture, int width, int height);

/**
 * picture_encode_small:
 * As PNG where it has few colours, as drawn label maps do, and as JPEG where it has many.
 * @mime: (out): "image/png" or "image/jpeg".
 */
GBytes *picture_encode_small(const Picture *picture, const char **mime, GError **error);

/**
 * picture_write_png:
 * @file is replaced as a whole, or left as it was. The bytes are a function of the pixels alone.
 */
gboolean picture_write_png(const Picture *picture, const char *file, GError **error);

/** picture_is_name: Whether @file ends as pictures do. */
gboolean picture_is_name(const char *file);

/**
 * picture_list:
 * The pictures in @folder, sorted as a person counts: 2.png before 10.png.
 * Returns: (transfer full) (element-type filename): paths; the error says if there are none.
 */
GPtrArray *picture_list(const char *folder, GError **error);

#endif
