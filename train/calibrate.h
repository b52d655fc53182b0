/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * In which precision each convolution of a generator makes its products on this machine, so that it is
 * as fast as it can be and no picture differs visibly from float32's.
 */
#ifndef CALIBRATE_H
#define CALIBRATE_H

#include "calibration-set.h"

/** Calibrated: what was found. */
typedef struct {
    PixPrecision
        *mix;     /* of each convolution; NULL, and all else 0: none is close enough and faster */
    guint n;      /* convolutions */
    char **names; /* of them */
    /* Milliseconds in FP32 alone and in the mix, of each and of the whole network. */
    double *exact_ms, *mix_ms, exact_network_ms, mix_network_ms;
    double psnr;    /* of the worst picture: 10 log10(4 / mean squared difference in [-1, 1]) */
    guint pictures; /* of so many */
} Calibrated;

void calibrated_clear(Calibrated *calibrated);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Calibrated, calibrated_clear)

/**
 * calibrate:
 * Takes minutes for a large network, tells how far it is, and stops when the command is interrupted.
 * Dropout is frozen, and norms take the statistics that the checkpoint asks for.
 * @model: in FP32.  @checkpoint: of the model; loses its mix.  @psnr: in dB, which every picture of
 * @set stays above.
 * Errors: %PIX_ERROR_UNSUPPORTED for a device that has one precision at a time; those of
 * calibration_set_read(), pix_model_new(), pix_session_new() and pix_session_forward(); interrupted.
 */
gboolean calibrate(PixModel *model, PixCheckpoint *checkpoint, const CalibrationSet *set,
                   double psnr, Calibrated *calibrated, GError **error);

#endif
