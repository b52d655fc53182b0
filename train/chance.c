/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "chance.h"

GRand *chance_new(guint64 seed, guint epoch, guint64 position, ChancePurpose purpose)
{
    const guint32 words[] = {seed, seed >> 32, epoch, position, position >> 32, purpose};

    return g_rand_new_with_seed_array(words, G_N_ELEMENTS(words));
}
