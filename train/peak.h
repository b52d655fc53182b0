/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What the processor can do at most, measured: the yardstick of `pix2pix bench`. */
#ifndef PEAK_H
#define PEAK_H

/**
 * peak_choose_level:
 * @level: (nullable): of the device's kernels, as in PIX2PIX_CPU.
 * Returns: the level to measure: @level where it is one of vector instructions; for the others,
 * whose code may use any, the best of this CPU.
 */
const char *peak_choose_level(const char *level);

/**
 * peak_measure_gflops:
 * Runs independent float32 multiply-adds in registers on @threads threads at once.
 * @level: of peak_choose_level(). Takes about a tenth of a second.
 * Returns: 10^9 floating-point operations a second; a multiply-add is two.
 */
double peak_measure_gflops(unsigned threads, const char *level);

#endif
