/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Seeded inputs, and the verdict on an output: a test's tolerance is its own, as NMSE.
 */
#ifndef COMPARE_H
#define COMPARE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/** compare_fill: Uniform noise in [-@range, @range], a function of @seed alone. */
void compare_fill(float *values, size_t count, float range, guint32 seed);

/** CompareError: how far an output is from the specification. */
typedef struct {
    double nmse;    /* sum of squared errors over sum of squares of the specification */
    double largest; /* error, absolute */
    size_t worst;   /* where */
    bool finite;    /* where the specification is; else it is the same infinity or NaN */
} CompareError;

CompareError compare(const float *found, const double *expected, size_t count);

#endif
