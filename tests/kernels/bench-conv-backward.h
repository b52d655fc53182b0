/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** How long CONV and DECONV of the published networks take in each direction. */
#ifndef BENCH_CONV_BACKWARD_H
#define BENCH_CONV_BACKWARD_H

#include <stdbool.h>

/**
 * bench_conv_backward: Prints a table: for each layer, the least milliseconds of some rounds and the
 * billions of operations a second. A round goes through all layers, so that weights come from memory
 * as they do in training. @threads: 0 takes what the machine has.
 */
void bench_conv_backward(unsigned threads);

/**
 * bench_conv_vulkan: The same for both variants of the shaders, which take turns: the fast one's
 * milliseconds and their share of the simple one's. @processor: in time of processors, which for one
 * that plays a GPU does not depend on what else is running. The last rows add up the layers with
 * maps of 32x32 and more, and the others.
 */
void bench_conv_vulkan(bool processor);

#endif
