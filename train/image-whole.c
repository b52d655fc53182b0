/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image-whole.h"

#include <string.h>

static gboolean is_png(const guint8 *head)
{
    return !memcmp(head, "\x89PNG\r\n\x1a\n", 8);
}

static gboolean is_jpeg(const guint8 *head)
{
    return !memcmp(head, "\xff\xd8", 2);
}

/* Whether a JPEG's markers lead to its end: FF and a code, most of them with a length and a body;
 * after SOS, compressed data in which FF is followed by 0 or a restart code. */
static gboolean is_whole_jpeg(const guint8 *data, gsize bytes)
{
    gsize at = 2;

    while (at + 4 <= bytes) {
        guint8 code = data[at + 1];
        if (data[at] != 0xff)
            at++; /* compressed data */
        else if (code == 0xff)
            at++; /* padding */
        else if (code == 0 || code == 0x01 || (code >= 0xd0 && code <= 0xd8))
            at += 2; /* no length */
        else if (code == 0xd9)
            return TRUE;
        else
            at += 2 + (data[at + 2] << 8 | data[at + 3]);
    }
    return at + 2 <= bytes && data[bytes - 2] == 0xff && data[bytes - 1] == 0xd9;
}

/* Whether a PNG's chunks lead to IEND: 4 bytes of length, 4 of type, the data, 4 of checksum. */
static gboolean is_whole_png(const guint8 *data, gsize bytes)
{
    guint64 at = 8;

    while (at + 12 <= bytes) {
        if (!memcmp(data + at + 4, "IEND", 4))
            return TRUE;
        at +=
            12 + ((guint64)data[at] << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]);
    }
    return FALSE;
}

gboolean image_is_whole(const guint8 *data, gsize bytes)
{
    if (bytes < IMAGE_TAIL_BYTES)
        return FALSE;
    return is_png(data) ? is_whole_png(data, bytes) : !is_jpeg(data) || is_whole_jpeg(data, bytes);
}

gboolean image_has_end(const guint8 *head, const guint8 *tail)
{
    if (is_png(head))
        return !memcmp(tail + IMAGE_TAIL_BYTES - 8, "IEND", 4);
    return !is_jpeg(head) || !memcmp(tail + IMAGE_TAIL_BYTES - 2, "\xff\xd9", 2);
}
