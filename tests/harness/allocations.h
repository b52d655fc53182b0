/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Counts calls of malloc and its relatives in the whole process, in all threads. Linked into a
 * program, it replaces the C library's entry points with ones that count and pass on.
 */
#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H

/** allocations_count: How many there have been so far. */
long allocations_count(void);

#endif
