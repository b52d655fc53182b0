/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** The pictures that a mix of precisions is measured on: inputs of a network, at its size. */
#ifndef CALIBRATION_SET_H
#define CALIBRATION_SET_H

#include "dataset.h"

#include <pix2pix/pix.h>

typedef struct {
    const char *folder; /* with inputs, or of a data set */
    const char *split;  /* (nullable): the folder of its pairs, and no other; else val */
    gboolean pairs;     /* even where there are pictures in the folder itself */
    gboolean b_to_a;    /* of pairs, the right halves are the inputs */
} CalibrationSetOptions;

typedef struct CalibrationSet CalibrationSet;

/**
 * calibration_set_open:
 * Pictures in the folder are inputs. Where there are none, or with a split, it holds pairs as of
 * dataset_open(). Looks at header and end of every file.
 * @info: of the network that they are for.
 * Errors: neither inputs nor pairs; pictures beside a data set; a picture that is broken; those of
 * dataset_open(); a network whose inputs are no pictures.
 */
CalibrationSet *calibration_set_open(const CalibrationSetOptions *options, const PixModelInfo *info,
                                     GError **error);
void calibration_set_free(CalibrationSet *set); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CalibrationSet, calibration_set_free)

guint calibration_set_get_n(const CalibrationSet *set);
/** calibration_set_get_pairs: Returns: (nullable): the data set, which has notes and problems. */
const Dataset *calibration_set_get_pairs(const CalibrationSet *set);
/** calibration_set_get_name: Returns: (transfer full): for a message, picture @index. */
char *calibration_set_get_name(const CalibrationSet *set, guint index);
/** calibration_set_describe: Returns: (transfer full): a line on what the inputs are. */
char *calibration_set_describe(const CalibrationSet *set);

/**
 * calibration_set_read:
 * @x: (out): picture @index as (in_channels, height, width) in [-1, 1], resized to what the network was
 * made for.  Errors: those of picture_read(), dataset_read().
 */
gboolean calibration_set_read(const CalibrationSet *set, guint index, float *x, GError **error);

#endif
