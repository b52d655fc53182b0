/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pix2pix/pix.h>

#define ONE 256 /* of the fixed-point strength: exact at 0 and at 1 */

void pix_image_blend(const PixImage *source, PixImage *result, double strength)
{
    g_return_if_fail(source && result);
    g_return_if_fail(source->width == result->width && source->height == result->height);
    g_return_if_fail(source->channels == result->channels);
    int weight = (int)(CLAMP(strength, 0, 1) * ONE + 0.5);
    for (int y = 0; y < result->height; y++) {
        const guint8 *from = source->data + y * source->stride;
        guint8 *to = result->data + y * result->stride;
        for (int x = 0; x < result->width;
             x++, from += source->pixel_bytes, to += result->pixel_bytes)
            for (int c = 0; c < result->channels; c++) {
                int s = from[source->offset[c]];
                guint8 *r = &to[result->offset[c]];
                *r = (guint8)((s * (ONE - weight) + *r * weight + ONE / 2) / ONE);
            }
    }
}

void pix_image_copy(const PixImage *source, PixImage *destination)
{
    pix_image_blend(source, destination, 0);
}
