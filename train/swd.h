/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Sliced Wasserstein distance between two sets of pictures of one size. It sees what pairwise
 * differences do not: blur, grids, missing texture. Each picture becomes a Laplacian pyramid, from
 * full size down to 16 pixels, and gives 128 patches of 7x7 pixels a level. The patches of a set are
 * normalised by channel, both sets are projected on random directions, sorted, and compared.
 * Source: Karras et al. (2018), section 5 and appendix, with 4 x 128 directions; times 1000.
 */
#ifndef SWD_H
#define SWD_H

#include <glib.h>

#define SWD_MAX_LEVELS 16
#define SWD_MIN_SIDE 7 /* of a picture: one patch */

typedef struct SwdSet SwdSet;

/** swd_set_new: @seed, @which: where patches are taken; sets of another number, other places. */
SwdSet *swd_set_new(guint64 seed, guint which);
void swd_set_free(SwdSet *set); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwdSet, swd_set_free)

/** swd_set_expect: Before the first picture is added: room for so many, and no more. */
void swd_set_expect(SwdSet *set, guint pictures);

/**
 * swd_set_add:
 * @pixels: (3,height,width) float32 in [0, 255]. No side below %SWD_MIN_SIDE; all pictures of a set
 * have the same size.
 */
void swd_set_add(SwdSet *set, const float *pixels, int width, int height);

/**
 * swd_compare:
 * The distance between sets of equally many pictures of one size, at least one, level by level.
 * @seed: of the directions. @threads: at least 1; the result does not depend on it.
 * @levels: (out): %SWD_MAX_LEVELS of them, finest detail first.
 *
 * Returns: the number of levels.
 */
int swd_compare(const SwdSet *a, const SwdSet *b, guint64 seed, unsigned threads, double *levels);

/** swd_get_bytes: Of two sets of so many pictures, and of comparing them. */
guint64 swd_get_bytes(guint pictures, int width, int height, unsigned threads);

#endif
