/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Weight initialisation.
 */
#ifndef PIX_INIT_H
#define PIX_INIT_H

#include <pix2pix/pix-train.h>
#include <stdint.h>

#include "graph.h"

/**
 * pix_init_values:
 * Draws the values of @param: a kernel by @init, gamma from N(1, gain), variances 1, everything else
 * 0. A pure function of the arguments. @index: of the parameter in its graph.  @values: row-major.
 * Source: torch.nn.init of PyTorch 1.13, whose fans it takes (for a transposed convolution the input
 * counts as output); init_weights() of junyanz/pytorch-CycleGAN-and-pix2pix.
 */
void pix_init_values(const PixParam *param, PixInit init, double gain, uint64_t seed,
                     unsigned index, float *values);

#endif
