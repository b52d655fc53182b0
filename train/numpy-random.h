/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Random numbers as numpy.random.RandomState draws them, whose generator is GRand's, the Mersenne
 * Twister: RandomState([1, 2]) and g_rand_new_with_seed_array((guint32[]){1, 2}, 2) go on alike.
 */
#ifndef NUMPY_RANDOM_H
#define NUMPY_RANDOM_H

#include <glib.h>

/** numpy_random_below: As randint(0, n). */
int numpy_random_below(GRand *random, int n);
/** numpy_random_normal_pair: As randn(2). */
void numpy_random_normal_pair(GRand *random, double pair[2]);

#endif
