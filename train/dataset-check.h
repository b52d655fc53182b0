/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** Which pairs of a data set can be read. For dataset.c. */
#ifndef DATASET_CHECK_H
#define DATASET_CHECK_H

#include "dataset.h"

/**
 * dataset_check:
 * Looks at every one of @pairs, of Pair, and gives it size and bytes. One that is broken has no
 * size, and no bytes either where that could be seen without decoding it.
 * @problems: (element-type utf8): gets a line for each of those, in the order of the pairs.
 */
void dataset_check(const GPtrArray *pairs, const DatasetOptions *options, GPtrArray *problems);

#endif
