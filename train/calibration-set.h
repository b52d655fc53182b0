/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** The pictures that a mix of precisions is measured on: inputs of a network, at its size. */
#ifndef CALIBRATION_SET_H
#define CALIBRATION_SET_H

#include <pix2pix/pix.h>

typedef struct CalibrationSet CalibrationSet;

/**
 * calibration_set_open:
 * @folder: where pictures lie in it, those are the inputs. Otherwise, or with @split or @direction, it
 * holds pairs as of dataset_open() in @split (val): @direction "AtoB" takes the left halves, "BtoA" the
 * right ones; both nullable.
 * @info: of the network that they are for.  Errors: no pictures; those of dataset_open(); a network
 * whose inputs are no pictures.
 */
CalibrationSet *calibration_set_open(const char *folder, const char *split, const char *direction,
                                     const PixModelInfo *info, GError **error);
void calibration_set_free(CalibrationSet *set); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CalibrationSet, calibration_set_free)

guint calibration_set_get_n(const CalibrationSet *set);

/**
 * calibration_set_read:
 * @x: (out): picture @index as (in_channels, height, width) in [-1, 1], resized to what the network was
 * made for.  Errors: those of picture_read().
 */
gboolean calibration_set_read(const CalibrationSet *set, guint index, float *x, GError **error);

#endif
