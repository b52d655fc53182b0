/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare.h"

#include <math.h>

void compare_fill(float *values, size_t count, float range, guint32 seed)
{
    GRand *rand = g_rand_new_with_seed(seed);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)g_rand_double_range(rand, -1, 1) * range;
    g_rand_free(rand);
}

static bool is_same(double found, double expected)
{
    return isnan(expected) ? isnan(found) : found == expected;
}

CompareError compare(const float *found, const double *expected, size_t count)
{
    CompareError e = {.finite = true};
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        double error = fabs((double)found[i] - expected[i]);
        if (!isfinite(found[i]) || !isfinite(expected[i])) {
            if (e.finite && !is_same((double)found[i], expected[i])) {
                e.finite = false;
                e.worst = i;
            }
            continue;
        }
        if (e.finite && error > e.largest) {
            e.largest = error;
            e.worst = i;
        }
        e.nmse += error * error;
        squares += expected[i] * expected[i];
    }
    /* Of an output that is all zeros the error itself is judged. */
    if (squares > 0)
        e.nmse /= squares;
    return e;
}
