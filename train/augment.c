/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "augment.h"

#include "chance.h"
#include "resample.h"

#include <pix2pix/pix.h>

const char *const augment_preprocess[] = {
    [AUGMENT_RESIZE_AND_CROP] = "resize_and_crop",
    [AUGMENT_CROP] = "crop",
    [AUGMENT_SCALE_WIDTH] = "scale_width",
    [AUGMENT_SCALE_WIDTH_AND_CROP] = "scale_width_and_crop",
    [AUGMENT_NONE] = "none",
    NULL,
};

static gboolean has_crop(const AugmentOptions *options)
{
    return options->preprocess != AUGMENT_SCALE_WIDTH && options->preprocess != AUGMENT_NONE;
}

/* Halves go to the even multiple, as Python's round() does. */
static int round_to_multiple(int side, int multiple)
{
    int times = side / multiple, rest = side % multiple;

    if (2 * rest > multiple || (2 * rest == multiple && times % 2))
        times++;
    return MAX(times, 1) * multiple;
}

/* The size before cropping. */
static void get_load_size(const AugmentOptions *options, int width, int height, int *load_width,
                          int *load_height)
{
    *load_width = width;
    *load_height = height;
    if (options->preprocess == AUGMENT_RESIZE_AND_CROP) {
        *load_width = options->load_width;
        *load_height = options->load_height;
    } else if (options->preprocess == AUGMENT_SCALE_WIDTH ||
               options->preprocess == AUGMENT_SCALE_WIDTH_AND_CROP) {
        *load_width = options->load_width;
        *load_height =
            MAX((int)((gint64)options->load_width * height / width), options->crop_height);
    }
    if (!has_crop(options)) {
        *load_width = round_to_multiple(*load_width, options->multiple);
        *load_height = round_to_multiple(*load_height, options->multiple);
    }
}

gboolean augment_get_size(const AugmentOptions *options, int width, int height, int *net_width,
                          int *net_height, GError **error)
{
    get_load_size(options, width, height, net_width, net_height);
    if (!has_crop(options))
        return TRUE;
    if (*net_width < options->crop_width || *net_height < options->crop_height) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_SHAPE,
                    "%d x %d pixels are too few to crop %d x %d of them, load it larger or crop "
                    "less",
                    *net_width, *net_height, options->crop_width, options->crop_height);
        return FALSE;
    }
    *net_width = options->crop_width;
    *net_height = options->crop_height;
    return TRUE;
}

/* @to: (channels, height, width): the part of @picture from @x, @y on. */
static void to_tensor(const Picture *picture, int x, int y, int width, int height, gboolean flip,
                      float *to)
{
    int channels = picture->channels, step = flip ? -channels : channels;

    for (int c = 0; c < channels; c++) {
        for (int row = 0; row < height; row++, to += width) {
            const guint8 *from =
                picture->data +
                ((gsize)(y + row) * picture->width + x + (flip ? width - 1 : 0)) * channels + c;
            for (int column = 0; column < width; column++)
                to[column] = from[column * step] / 127.5f - 1;
        }
    }
}

void augment_apply(const AugmentOptions *options, guint64 seed, guint epoch, guint64 position,
                   const Picture *in, const Picture *out, float *x, float *y)
{
    int load_width, load_height, width, height;

    get_load_size(options, in->width, in->height, &load_width, &load_height);
    width = has_crop(options) ? options->crop_width : load_width;
    height = has_crop(options) ? options->crop_height : load_height;

    GRand *chance = chance_new(seed, epoch, position, CHANCE_AUGMENT);
    int left = g_rand_int_range(chance, 0, load_width - width + 1);
    int top = g_rand_int_range(chance, 0, load_height - height + 1);
    gboolean flip = g_rand_boolean(chance) && options->flip;
    g_rand_free(chance);

    g_autoptr(Picture) large_in = picture_resize_bicubic(in, load_width, load_height);
    g_autoptr(Picture) large_out = picture_resize_bicubic(out, load_width, load_height);
    to_tensor(large_in, left, top, width, height, flip, x);
    to_tensor(large_out, left, top, width, height, flip, y);
}

void augment_plain(const AugmentOptions *options, const Picture *picture, float *x)
{
    AugmentOptions plain = *options;
    int load_width, load_height, width, height;

    if (options->preprocess == AUGMENT_RESIZE_AND_CROP) {
        plain.load_width = options->crop_width;
        plain.load_height = options->crop_height;
    }
    get_load_size(&plain, picture->width, picture->height, &load_width, &load_height);
    width = has_crop(options) ? options->crop_width : load_width;
    height = has_crop(options) ? options->crop_height : load_height;
    g_autoptr(Picture) large = picture_resize_bicubic(picture, load_width, load_height);
    to_tensor(large, (load_width - width) / 2, (load_height - height) / 2, width, height, FALSE, x);
}
