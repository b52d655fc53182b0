/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * A matrix in memory that is all guards around it: before its first row, behind the columns of each
 * and after the last. Is for kernels that are called with pointers; see fenced.h for tensors.
 */
#ifndef AREA_H
#define AREA_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/** AREA_IN: What lies around inputs: NaN in any format. */
#define AREA_IN 0xff
/** AREA_OUT: What lies around outputs: numbers, so that a NaN written there is seen. */
#define AREA_OUT 0xa5

typedef struct {
    size_t size; /* bytes of an element */
    int rows, columns;
    ptrdiff_t pitch; /* elements from row to row */
    guint8 guard;
    guint8 *memory;
    size_t bytes; /* of memory */
    void *data;   /* the first element */
} Area;

/**
 * area_new: All bytes are those of NaN. @offset: elements from a multiple of 64 bytes to the first.
 */
Area area_new(size_t size, int rows, int columns, ptrdiff_t pitch, int offset, guint8 guard);
Area area_copy(const Area *area);
void area_clear(Area *area);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Area, area_clear)

/** area_at: The address of an element. */
void *area_at(const Area *area, int row, int column);

/** area_is_kept: Whether nothing has been written around it. */
bool area_is_kept(const Area *area);

#endif
