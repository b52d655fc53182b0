/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** The middle of several measurements, which the few that something disturbed do not move. */
#ifndef MEDIAN_H
#define MEDIAN_H

/** median_of: Sorts @values. @n: at least 1.  Returns: of an even number, the mean of the middle two. */
double median_of(double *values, int n);

#endif
