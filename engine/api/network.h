/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** Inside view of a PixNetwork: a model whose weights move, and what moves them. */
#ifndef PIX_NETWORK_H
#define PIX_NETWORK_H

#include <pix2pix/pix-train.h>

#include "arch.h"
#include "model.h"

struct PixNetwork {
    PixModel *model;
    PixArch arch;
    PixNetworkOptions options; /* its strings are constant or the model's */
    PixParams *gradients, *first_moments, *second_moments;
    PixParams *average; /* NULL until there is one */
    bool fresh;         /* the gradients mean nothing: the next backward pass overwrites them */
    bool has_gradients, has_moments; /* whether their memory has been written at all */
    guint64 steps;                   /* of Adam */
};

/**
 * pix_network_touch_gradients, pix_network_touch_moments: Write zeros if that has not been done, so
 * that the gaps between parameters are zeros ever after.
 */
void pix_network_touch_gradients(PixNetwork *network);
void pix_network_touch_moments(PixNetwork *network);

/** pix_network_make_average: Reserves memory for it, if that has not been done. Errors: NO_MEMORY. */
bool pix_network_make_average(PixNetwork *network, GError **error);

#endif
