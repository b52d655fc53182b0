/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What a test of the engine runs on: the levels of the CPU that this machine and build have; or, with
 * PIX2PIX_DEVICE=vulkan in the environment, the GPU alone, which must then be there.
 */
#ifndef LEVELS_H
#define LEVELS_H

#include <pix2pix/pix.h>
#include <stdbool.h>

/**
 * level_open:
 * @level: "vulkan", or a level of the CPU and how many threads: "avx2:2", or "avx2,winograd:2"
 * for such convolutions alone, where they can be had.
 * Returns: (transfer full): NULL: there is none such.
 */
PixDevice *level_open(const char *level);

/** has_level: Whether it is to be run. What is not is left out of the list of tests, not skipped. */
bool has_level(const char *level);

#endif
