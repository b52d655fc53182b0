/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * From a picture of any size to a network's input: resized, cropped and flipped at random, alike
 * for both pictures of a pair, and scaled to [-1, 1].
 * Source: get_params and get_transform in data/base_dataset.py of
 * junyanz/pytorch-CycleGAN-and-pix2pix.
 */
#ifndef AUGMENT_H
#define AUGMENT_H

#include "picture.h"

/** AugmentPreprocess: the reference's names and meanings. */
typedef enum {
    AUGMENT_RESIZE_AND_CROP,      /* to load_width x load_height, then crop */
    AUGMENT_CROP,                 /* crop alone; pictures are at least as large */
    AUGMENT_SCALE_WIDTH,          /* to load_width, the height as it follows or crop_height */
    AUGMENT_SCALE_WIDTH_AND_CROP, /* the same, then crop */
    AUGMENT_NONE,                 /* as they are */
} AugmentPreprocess;

/** Their words, "resize_and_crop" and so on, in the order of their values; NULL ends them. */
extern const char *const augment_preprocess[];

typedef struct {
    AugmentPreprocess preprocess;
    int load_width, load_height; /* 286 x 286 in the paper */
    int crop_width, crop_height; /* 256 x 256; no larger than load_* where both are used */
    gboolean flip;               /* half of the pairs, left to right */
    int multiple; /* where nothing is cropped, sides are resized to the nearest multiple of it */
} AugmentOptions;

/**
 * augment_get_size:
 * @net_width, @net_height: (out): the size that a picture of @width x @height becomes.
 * Errors: the picture is smaller than the crop, or the crop larger than the load size; no file is
 * named, for none is known here.
 */
gboolean augment_get_size(const AugmentOptions *options, int width, int height, int *net_width,
                          int *net_height, GError **error);

/**
 * augment_apply:
 * Crop position (uniform) and flip (one half) are a function of @seed, @epoch and @position alone,
 * so that neither threads nor resuming change them.
 * @position: which pair of the epoch.  @in, @out: of the same size, which augment_get_size() takes.
 * @x, @y: (channels, net_height, net_width) of @in and @out: value / 127.5 - 1.
 */
void augment_apply(const AugmentOptions *options, guint64 seed, guint epoch, guint64 position,
                   const Picture *in, const Picture *out, float *x, float *y);

/**
 * augment_plain:
 * Without chance, for validation: resize_and_crop resizes to the crop's size, as the reference's
 * test does; the others crop the middle; nothing is flipped.
 * @x: (channels, net_height, net_width), the size of augment_get_size().
 */
void augment_plain(const AugmentOptions *options, const Picture *picture, float *x);

#endif
