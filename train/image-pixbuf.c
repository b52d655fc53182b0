/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image-pixbuf.h"

#include "image-file.h"

#include <string.h>

Picture *picture_from_pixbuf(const GdkPixbuf *pixbuf, int channels)
{
    g_autoptr(Picture) picture =
        picture_new(gdk_pixbuf_get_width(pixbuf), gdk_pixbuf_get_height(pixbuf),
                    gdk_pixbuf_get_n_channels(pixbuf));
    const guint8 *from = gdk_pixbuf_read_pixels(pixbuf);
    gsize stride = gdk_pixbuf_get_rowstride(pixbuf);
    gsize row_bytes = (gsize)picture->width * picture->channels;

    for (int y = 0; y < picture->height; y++)
        memcpy(picture->data + y * row_bytes, from + y * stride, row_bytes);
    if (picture->channels == channels)
        return g_steal_pointer(&picture);
    return picture_convert(picture, channels);
}

static void free_pixels(guchar *pixels, gpointer picture)
{
    picture_free(picture);
}

GdkPixbuf *picture_as_pixbuf(const Picture *picture)
{
    Picture *copy = picture->channels == 1 ? picture_convert(picture, 3) : NULL;
    const Picture *from = copy ? copy : picture;

    return gdk_pixbuf_new_from_data(from->data, GDK_COLORSPACE_RGB, from->channels == 4, 8,
                                    from->width, from->height, from->width * from->channels,
                                    copy ? free_pixels : NULL, copy);
}

Picture *picture_scale(const Picture *picture, int width, int height)
{
    if (picture->width == width && picture->height == height)
        return picture_convert(picture, picture->channels);
    g_autoptr(GdkPixbuf) from = picture_as_pixbuf(picture);
    g_autoptr(GdkPixbuf) to = gdk_pixbuf_scale_simple(from, width, height, GDK_INTERP_BILINEAR);
    return picture_from_pixbuf(to, picture->channels);
}
