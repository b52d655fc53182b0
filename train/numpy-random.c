/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "numpy-random.h"

#include <math.h>

int numpy_random_below(GRand *random, int n)
{
    guint32 mask = (1u << g_bit_storage(n - 1)) - 1, drawn;

    if (n == 1)
        return 0;
    do
        drawn = g_rand_int(random) & mask;
    while (drawn >= (guint32)n);
    return drawn;
}

static double draw_uniform(GRand *random)
{
    guint32 high = g_rand_int(random) >> 5, low = g_rand_int(random) >> 6;

    return (high * 67108864.0 + low) / 9007199254740992.0;
}

void numpy_random_normal_pair(GRand *random, double pair[2])
{
    double x, y, square;

    do {
        x = 2 * draw_uniform(random) - 1;
        y = 2 * draw_uniform(random) - 1;
        square = x * x + y * y;
    } while (square >= 1 || square == 0);
    double factor = sqrt(-2 * log(square) / square);
    pair[0] = factor * y;
    pair[1] = factor * x;
}
