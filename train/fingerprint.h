/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** Whether a data set is the one that a run has learnt from so far. */
#ifndef FINGERPRINT_H
#define FINGERPRINT_H

#include "dataset.h"

/**
 * fingerprint_make:
 * Returns: (transfer full): of the names of all pairs and the sizes of their files: a SHA-256 of the
 * names, then for each pair 16 bits that stand for its bytes, all in hexadecimal.
 */
char *fingerprint_make(const Dataset *dataset);

/**
 * fingerprint_compare:
 * Pairs that are broken by now, and those that were then, are taken for what they should be: a
 * picture that breaks must not end a run. @was: the fingerprint of @pairs pairs.
 * Returns: (transfer full): "of 6 pairs, and there are 7 here", or which pairs have other files;
 * %NULL where nothing differs.
 */
char *fingerprint_compare(const Dataset *dataset, const char *was, guint64 pairs);

#endif
