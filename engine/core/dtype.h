/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Element types: those that files hold, and those in which a device keeps maps and weights. All that
 * is passed around between the two is float32.
 */
#ifndef PIX_DTYPE_H
#define PIX_DTYPE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    PIX_DTYPE_F32,
    PIX_DTYPE_F16,
    PIX_DTYPE_BF16,
    PIX_DTYPE_F64,
    PIX_DTYPE_I8,
    PIX_DTYPE_U8,
    PIX_DTYPE_I16,
    PIX_DTYPE_I32,
    PIX_DTYPE_I64,
    PIX_DTYPE_BOOL,
    PIX_DTYPE_COUNT
} PixDtype;

/** pix_dtype_name: The name that safetensors uses: "F32", "BF16", "I8", ... */
const char *pix_dtype_name(PixDtype dtype);

/** pix_dtype_bytes: Size of one element. */
size_t pix_dtype_bytes(PixDtype dtype);

/**
 * pix_dtype_to_floats:
 * Converts @count little-endian elements at @source (any alignment). @target: not @source.
 * Returns: whether all are in range: of F64, a finite number may be too large and become infinite.
 */
bool pix_dtype_to_floats(PixDtype dtype, const void *source, float *target, size_t count);

/**
 * pix_dtype_from_floats:
 * Converts to F32, F16 or BF16, rounding to nearest even; what is too large for F16 becomes
 * infinite.
 */
void pix_dtype_from_floats(PixDtype dtype, const float *source, void *target, size_t count);

#endif
