/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Time as stages and layers are measured.
 */
#ifndef PIX_CLOCK_H
#define PIX_CLOCK_H

#include <time.h>

/** pix_clock_ms: Milliseconds since some moment, never going back. */
static inline double pix_clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

#endif
