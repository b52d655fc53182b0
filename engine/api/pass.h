/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** Inside view of a PixPass. */
#ifndef PIX_PASS_H
#define PIX_PASS_H

#include "map.h"
#include "network.h"
#include "run.h"

/** PIX_RUNNING_MOMENTUM: torch.nn.BatchNorm2d's default. */
#define PIX_RUNNING_MOMENTUM 0.1f

struct PixPass {
    PixNetwork *network;
    PixRun *run;
    PixMap input, output, input_gradient, output_gradient;
};

#endif
