/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * How close pictures come to their targets: L1, PSNR and SSIM pair by pair, SWD between the two
 * sets. Needs no trained network.
 */
#ifndef METRICS_H
#define METRICS_H

#include "picture.h"

#define METRICS_MAX_LEVELS 16

/** MetricsResult: Means over the pairs. */
typedef struct {
    int n;       /* pairs */
    double l1;   /* mean absolute difference on [-1, 1]; lower is better */
    double psnr; /* dB, of 8-bit values; higher is better, 168 where a pair is equal */
    double ssim; /* at most 1; higher is better */
    double swd;  /* mean of the levels; lower is better. NaN where the pairs differ in size */
    double swd_levels[METRICS_MAX_LEVELS]; /* from full size, finest detail first, to 16 pixels */
    int n_levels;                          /* 0 where the pairs differ in size */
} MetricsResult;

typedef struct Metrics Metrics;

/**
 * metrics_new:
 * @seed: of the places that SWD looks at and of its projections. @threads: 0: as many as there are
 * processors. The result is the same for any number of them, bit for bit.
 */
Metrics *metrics_new(guint64 seed, unsigned threads);
void metrics_free(Metrics *metrics); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Metrics, metrics_free)

/** metrics_expect: Before the first pair is added: room for so many, and no more. */
void metrics_expect(Metrics *metrics, guint pairs);
/** metrics_get_bytes: What it takes to compare so many pairs of this size. @threads: as above. */
guint64 metrics_get_bytes(guint pairs, int width, int height, unsigned threads);

/**
 * metrics_add:
 * Adds a pair of pictures, compared as RGB. Only patches of them are kept: 75 kB a picture and
 * level.
 * Errors: one line that names no file: sides that differ or are shorter than 11 pixels.
 * Source: PSNR on 8-bit values with the mean squared error at least 1e-12; SSIM of Wang et al.
 * (2004) over RGB in [0, 1], an 11 x 11 Gaussian window of 1.5 pixels, no padding; SWD see swd.h.
 */
gboolean metrics_add(Metrics *metrics, const Picture *output, const Picture *target,
                     GError **error);

/** metrics_finish: @result: (out): all zero and NaN where no pair was added. */
void metrics_finish(const Metrics *metrics, MetricsResult *result);

#endif
