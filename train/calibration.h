/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** The frames that calibrate() runs: how long layers take, and how far they move the output. */
#ifndef CALIBRATION_H
#define CALIBRATION_H

#include "calibration-set.h"
#include "mix-search.h"
#include "progress.h"

typedef struct {
    PixModel *model;
    const CalibrationSet *set;
    guint n;          /* convolutions */
    MixLayer *layers; /* as many */
    gsize n_in, n_out;
    float *x, *y, *exact; /* the network's input, its output, and that in FP32 */
    PixSession *session;  /* in FP32 */
    Progress progress;
    int done; /* frames of the step that runs */
} Calibration;

/** calibration_init: Errors: those of pix_session_new(). */
gboolean calibration_init(Calibration *c, PixModel *model, const CalibrationSet *set,
                          GError **error);
void calibration_clear(Calibration *c);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Calibration, calibration_clear)

/** calibration_open: A session with @mix, of each convolution. */
PixSession *calibration_open(const Calibration *c, const PixPrecision *mix, GError **error);
/** calibration_open_uniform: FP32 everywhere, but @precision at @layer, or at all of them for -1. */
PixSession *calibration_open_uniform(const Calibration *c, PixPrecision precision, int layer,
                                     GError **error);

/** calibration_begin, calibration_end: Around a step of so many frames. @what: of the progress. */
void calibration_begin(Calibration *c, const char *what, guint total);
void calibration_end(Calibration *c);
/** calibration_go_on: Before each frame: tells how far it is.  Errors: interrupted. */
gboolean calibration_go_on(Calibration *c, GError **error);

/** calibration_run_exact: Puts picture @index into x, and what FP32 makes of it into exact.
 * Errors: those of calibration_set_read() and pix_session_forward(); numbers that overflow. */
gboolean calibration_run_exact(Calibration *c, guint index, GError **error);
/** calibration_compare: The mean squared difference; infinite where numbers overflow. */
double calibration_compare(const float *y, const float *exact, gsize n);

/* ---- calibration-choices.c ---- */

/**
 * calibration_find_choices:
 * Rules out, by an infinite error, what a model in AUTO would not do though its file said so: a mix
 * with that would be timed here, and another one would run.  @checkpoint: of the model; loses its mix.
 * Errors: those of pix_model_new() and pix_session_new(); interrupted.
 */
gboolean calibration_find_choices(Calibration *c, PixCheckpoint *checkpoint, GError **error);

/* ---- calibration-times.c ---- */

/** calibration_time_layers: The layers' ms, each in each precision. */
gboolean calibration_time_layers(Calibration *c, GError **error);
/** calibration_time_mix: @ms: (out): (2, n + 1) in FP32 and in @mix: each layer, then the network. */
gboolean calibration_time_mix(Calibration *c, const PixPrecision *mix, double *ms, GError **error);

/* ---- calibration-errors.c ---- */

/** calibration_measure_errors: The layers' errors, each in each precision alone that is not ruled out. */
gboolean calibration_measure_errors(Calibration *c, GError **error);

#endif
