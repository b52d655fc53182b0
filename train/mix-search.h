/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * In which precision each convolution of a network makes its products: the search for the fastest mix
 * that is close enough to float32. It is given figures, and measures nothing itself.
 */
#ifndef MIX_SEARCH_H
#define MIX_SEARCH_H

#include <pix2pix/pix.h>

#define MIX_CHOICES 3

/** What a convolution may have: FP32, BF16, INT8. */
extern const PixPrecision mix_choices[MIX_CHOICES];

/** MixLayer: a convolution in each of the choices. */
typedef struct {
    double ms[MIX_CHOICES];
    /* Mean squared, of the network's output where this layer alone is so; 0 of FP32, infinite of what
     * cannot be used. */
    double error[MIX_CHOICES];
} MixLayer;

/**
 * mix_choose:
 * From FP32 on, layer by layer, what saves most time for the error that it adds, as long as the errors
 * add up to @budget at most. What saves next to nothing is left alone.
 * @mix: (out): of @n layers.
 */
void mix_choose(const MixLayer *layers, guint n, double budget, PixPrecision *mix);

/** mix_get_ms: Of all layers. */
double mix_get_ms(const MixLayer *layers, guint n, const PixPrecision *mix);

/**
 * MixTry:
 * Measures @mix. @worst: (out): the mean squared error of the worst picture, or of any that reaches
 * @bound.  Errors: what measuring may meet.
 */
typedef gboolean MixTry(gpointer data, const PixPrecision *mix, double bound, double *worst,
                        GError **error);

/**
 * mix_search:
 * Errors of layers add up only nearly, and other pictures have other errors: so mixes for larger and
 * smaller budgets are tried, until one holds whose neighbour does not.
 * @bound: of the worst picture's mean squared error, which stays below.
 * @mix, @worst: (out): the fastest that was tried and held, and its error; FP32 alone and 0 where none
 * does.  Errors: those of @try.
 */
gboolean mix_search(const MixLayer *layers, guint n, double bound, MixTry *try, gpointer data,
                    PixPrecision *mix, double *worst, GError **error);

#endif
