/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Whether a device computes what the CPU does: drivers err, and a picture that is wrong says nothing.
 */
#ifndef PIX_SELF_CHECK_H
#define PIX_SELF_CHECK_H

#include "backend.h"

/**
 * pix_self_check:
 * Has @device run a small network of the ops that generators have in @precision, which it can and is
 * not AUTO, and the CPU in float32, unless one of the same identity() has passed before and the cache
 * folder tells of it.
 * Errors: NO_DEVICE, or UNSUPPORTED for less than FP32, where a result differs; what the device meets.
 */
bool pix_self_check(PixDevice *device, PixPrecision precision, GError **error);

#endif
