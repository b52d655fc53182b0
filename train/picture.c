/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "picture.h"

#include <string.h>

Picture *picture_new(int width, int height, int channels)
{
    Picture *picture = g_new(Picture, 1);

    g_assert(channels == 1 || channels == 3 || channels == 4);
    picture->width = width;
    picture->height = height;
    picture->channels = channels;
    picture->data = g_malloc((gsize)width * height * channels);
    return picture;
}

void picture_free(Picture *picture)
{
    if (!picture)
        return;
    g_free(picture->data);
    g_free(picture);
}

/* The weights of red, green and blue add up to 1 << 16. */
static guint8 to_grey(const guint8 *rgb)
{
    return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16;
}

Picture *picture_convert(const Picture *picture, int channels)
{
    Picture *copy = picture_new(picture->width, picture->height, channels);
    const guint8 *from = picture->data,
                 *end = from + (gsize)picture->width * picture->height * picture->channels;

    for (guint8 *to = copy->data; from < end; from += picture->channels, to += channels) {
        if (channels == 1)
            to[0] = picture->channels == 1 ? from[0] : to_grey(from);
        else if (picture->channels == 1)
            memset(to, from[0], 3);
        else
            memcpy(to, from, 3);
        if (channels == 4)
            to[3] = picture->channels == 4 ? from[3] : 255;
    }
    return copy;
}

Picture *picture_crop(const Picture *picture, int x, int y, int width, int height)
{
    int channels = picture->channels;
    Picture *part = picture_new(width, height, channels);
    gsize row_bytes = (gsize)width * channels;

    g_assert(x >= 0 && y >= 0 && x + width <= picture->width && y + height <= picture->height);
    for (int row = 0; row < height; row++)
        memcpy(part->data + row * row_bytes,
               picture->data + ((gsize)(y + row) * picture->width + x) * channels, row_bytes);
    return part;
}
