/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** pix2pix bench --train. */
#ifndef BENCH_TRAIN_H
#define BENCH_TRAIN_H

#include "command.h"

/** BenchTrain: what is trained; everything else is as published. */
typedef struct {
    const char *net_g; /* NULL: unet_256 */
    int filters;       /* of both networks; ngf and ndf */
    int batch_size;
    int steps; /* to measure */
    gboolean json;
} BenchTrain;

/** bench_train_run: Returns: the command's exit status. */
int bench_train_run(const Command *command, const CommandOptions *options, const BenchTrain *bench);

#endif
