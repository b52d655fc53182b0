/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The engine's errors: PIX_ERROR and its codes are public, see <pix2pix/pix-types.h>.
 */
#ifndef PIX_ERROR_H
#define PIX_ERROR_H

#include <pix2pix/pix-types.h>
#include <stdbool.h>

/** pix_fail: Sets @error to a formatted text. Returns: false, so that a caller can return it. */
bool pix_fail(GError **error, PixError code, const char *format, ...) G_GNUC_PRINTF(3, 4);

#endif
