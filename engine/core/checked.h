/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Arithmetic on sizes that come from a file. Every sum and product of such numbers goes through
 * here, so that none can wrap around: one missed place is a hole in the reader.
 */
#ifndef PIX_CHECKED_H
#define PIX_CHECKED_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/** pix_checked_add: Returns: whether @a + @b fits; only then @sum is set. */
static inline bool pix_checked_add(guint64 a, guint64 b, guint64 *sum)
{
    return g_uint64_checked_add(sum, a, b);
}

/** pix_checked_mul: Returns: whether @a * @b fits; only then @product is set. */
static inline bool pix_checked_mul(guint64 a, guint64 b, guint64 *product)
{
    return g_uint64_checked_mul(product, a, b);
}

/** pix_checked_inside: Returns: whether @length bytes at @offset end within @size. */
static inline bool pix_checked_inside(guint64 offset, guint64 length, guint64 size)
{
    return offset <= size && length <= size - offset;
}

/** pix_checked_product: The product of @n numbers, 1 of none. Returns: whether it fits. */
static inline bool pix_checked_product(const guint64 *numbers, int n, guint64 *product)
{
    *product = 1;
    for (int i = 0; i < n; i++)
        if (!pix_checked_mul(*product, numbers[i], product))
            return false;
    return true;
}

/** pix_checked_bytes: @count elements of @element_bytes, as an amount of memory. */
static inline bool pix_checked_bytes(guint64 count, size_t element_bytes, size_t *bytes)
{
    guint64 wide;
    if (!pix_checked_mul(count, element_bytes, &wide) || wide > G_MAXSSIZE)
        return false;
    *bytes = (size_t)wide;
    return true;
}

#endif
