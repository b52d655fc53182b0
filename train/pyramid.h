/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The two steps of a Laplacian pyramid, on one channel with no side below 3 pixels, row-major.
 * The filter is the binomial one of 5 x 5; beyond the border pixels are mirrored, the outermost not
 * repeated.
 * Source: Burt and Adelson (1983).
 */
#ifndef PYRAMID_H
#define PYRAMID_H

/** pyramid_new_half: Filters @from and takes every other pixel: half the sides, rounded up. */
float *pyramid_new_half(const float *from, int width, int height);

/**
 * pyramid_subtract_doubled:
 * Takes from @level, of @width x @height, what @half, made of it, says about it: @half with zeros
 * between its pixels, filtered, times 4.
 */
void pyramid_subtract_doubled(float *level, int width, int height, const float *half);

#endif
