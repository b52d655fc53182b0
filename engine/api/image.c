/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image.h"

#include <string.h>

#define ONE 256    /* of the fixed-point strength: exact at 0 and at 1 */
#define MAX_STEP 8 /* bytes from one sample to the next */

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

/* ---- frames ---- */

static bool check_plane(const PixPlane *plane, bool data)
{
    return plane->row_bytes > 0 && plane->rows > 0 && (!data || plane->data);
}

static bool check_component(const PixVideo *video, const PixComponent *c)
{
    if (c->plane < 0 || c->plane >= video->n_planes || c->offset < 0 || c->offset >= c->step ||
        c->step > MAX_STEP || c->x_shift < 0 || c->x_shift > 3 || c->y_shift < 0 || c->y_shift > 3)
        return false;
    const PixPlane *plane = &video->planes[c->plane];
    gint64 last = c->offset + (gint64)((video->width - 1) >> c->x_shift) * c->step;
    return last < plane->row_bytes && (video->height - 1) >> c->y_shift < plane->rows;
}

bool pix_video_check(const PixVideo *video, bool data)
{
    if (!video || video->width < 1 || video->height < 1 || video->n_planes < 1 ||
        video->n_planes > (int)G_N_ELEMENTS(video->planes) || video->n_components < 1 ||
        video->n_components > (int)G_N_ELEMENTS(video->components) ||
        (video->converts && video->n_components > (int)G_N_ELEMENTS(video->matrix)))
        return false;
    for (int i = 0; i < video->n_planes; i++)
        if (!check_plane(&video->planes[i], data))
            return false;
    for (int i = 0; i < video->n_components; i++)
        if (!check_component(video, &video->components[i]))
            return false;
    return true;
}

static bool same_component(const PixComponent *a, const PixComponent *b)
{
    return a->plane == b->plane && a->offset == b->offset && a->step == b->step &&
           a->x_shift == b->x_shift && a->y_shift == b->y_shift;
}

bool pix_video_same_layout(const PixVideo *a, const PixVideo *b)
{
    bool same = a->width == b->width && a->height == b->height && a->n_planes == b->n_planes &&
                a->n_components == b->n_components && a->x_cosited == b->x_cosited &&
                a->y_cosited == b->y_cosited && a->converts == b->converts;
    for (int i = 0; i < a->n_planes && same; i++)
        same = a->planes[i].row_bytes == b->planes[i].row_bytes &&
               a->planes[i].rows == b->planes[i].rows;
    for (int i = 0; i < a->n_components && same; i++)
        same = same_component(&a->components[i], &b->components[i]);
    return same && (!a->converts || memcmp(a->matrix, b->matrix, sizeof a->matrix) == 0);
}

void pix_video_from_image(const PixImage *image, PixVideo *video)
{
    g_return_if_fail(pix_image_check(image) && video);
    int last = 0;
    *video = (PixVideo){.width = image->width,
                        .height = image->height,
                        .n_planes = 1,
                        .n_components = image->channels};
    for (int i = 0; i < image->channels; i++) {
        video->components[i].offset = image->offset[i];
        video->components[i].step = image->pixel_bytes;
        last = MAX(last, image->offset[i]);
    }
    video->planes[0] = (PixPlane){.data = image->data,
                                  .stride = image->stride,
                                  .row_bytes = (image->width - 1) * image->pixel_bytes + last + 1,
                                  .rows = image->height};
}

/* ---- images ---- */

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
