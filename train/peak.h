/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What the processor can do at most, measured: the yardstick of `pix2pix bench`. */
#ifndef PEAK_H
#define PEAK_H

/**
 * peak_measure_gflops:
 * Runs independent float32 multiply-adds in registers, of the widest kind that this CPU has, on
 * @threads threads at once. Takes about a tenth of a second.
 * Returns: 10^9 floating-point operations a second; a multiply-add is two.
 */
double peak_measure_gflops(unsigned threads);

#endif
