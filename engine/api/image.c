/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image.h"

#define ONE 256 /* of the fixed-point strength: exact at 0 and at 1 */

bool pix_image_check(const PixImage *image)
{
    if (!image || !image->data || image->width < 1 || image->height < 1)
        return false;
    if (image->pixel_bytes < 1 || image->pixel_bytes > 8 || image->channels < 1 ||
        image->channels > (int)G_N_ELEMENTS(image->offset))
        return false;
    for (int c = 0; c < image->channels; c++)
        if (image->offset[c] < 0 || image->offset[c] >= image->pixel_bytes)
            return false;
    return true;
}

void pix_image_blend(const PixImage *source, PixImage *result, double strength)
{
    g_return_if_fail(pix_image_check(source) && pix_image_check(result));
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
    g_return_if_fail(pix_image_check(source) && pix_image_check(destination));
    g_return_if_fail(source->width == destination->width && source->height == destination->height);
    g_return_if_fail(source->channels == destination->channels);
    for (int y = 0; y < destination->height; y++) {
        const guint8 *from = source->data + y * source->stride;
        guint8 *to = destination->data + y * destination->stride;
        for (int x = 0; x < destination->width;
             x++, from += source->pixel_bytes, to += destination->pixel_bytes)
            for (int c = 0; c < destination->channels; c++)
                to[destination->offset[c]] = from[source->offset[c]];
    }
}
