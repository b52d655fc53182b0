/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image-file.h"
#include "image-pixbuf.h"
#include "output-file.h"

#include <string.h>

static GBytes *encode(GdkPixbuf *pixbuf, const char *type, GError **error)
{
    char *key[] = {!strcmp(type, "jpeg") ? "quality" : NULL, NULL}, *value[] = {"92", NULL};
    char *data;
    gsize bytes;

    if (!gdk_pixbuf_save_to_bufferv(pixbuf, &data, &bytes, type, key, value, error))
        return NULL;
    return g_bytes_new_take(data, bytes);
}

/* Whether it has at most 256 colours, as drawings have and photos do not. */
static gboolean is_drawing(const Picture *picture)
{
    g_autoptr(GHashTable) colours = g_hash_table_new(NULL, NULL);
    int channels = picture->channels;
    gsize pixels = (gsize)picture->width * picture->height, i = 0;

    if (channels == 1)
        return TRUE;
    for (const guint8 *p = picture->data; i < pixels && g_hash_table_size(colours) <= 256;
         i++, p += channels)
        g_hash_table_add(colours, GUINT_TO_POINTER(p[0] << 16 | p[1] << 8 | p[2]));
    return g_hash_table_size(colours) <= 256;
}

GBytes *picture_encode_small(const Picture *picture, const char **mime, GError **error)
{
    g_autoptr(GdkPixbuf) pixbuf = picture_as_pixbuf(picture);
    gboolean drawing = is_drawing(picture);

    *mime = drawing ? "image/png" : "image/jpeg";
    return encode(pixbuf, drawing ? "png" : "jpeg", error);
}

gboolean picture_write_png(const Picture *picture, const char *file, GError **error)
{
    g_autoptr(GdkPixbuf) pixbuf = picture_as_pixbuf(picture);
    g_autoptr(GBytes) png = encode(pixbuf, "png", error);
    OutputFile *output = png ? output_file_open(file, error) : NULL;
    gsize bytes;

    if (!output)
        return FALSE;
    const void *data = g_bytes_get_data(png, &bytes);
    fwrite(data, 1, bytes, output->stream);
    return output_file_commit(output, error); /* sees a failed write, too */
}
