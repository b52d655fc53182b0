/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "area.h"

#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64
#define FENCE 128 /* bytes before and after; a multiple of the alignment */

static guint8 *memory_new(size_t bytes)
{
    guint8 *memory = aligned_alloc(ALIGNMENT, bytes);
    g_assert(memory);
    return memory;
}

Area area_new(size_t size, int rows, int columns, ptrdiff_t pitch, int offset, guint8 guard)
{
    Area area = {size, rows, columns, pitch, guard, NULL, 0, NULL};
    size_t inside = ((size_t)rows * (size_t)pitch + (size_t)offset) * size;
    area.bytes = (2 * FENCE + inside + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    area.memory = memory_new(area.bytes);
    area.data = area.memory + FENCE + (size_t)offset * size;
    memset(area.memory, guard, area.bytes);
    for (int i = 0; i < rows; i++)
        memset(area_at(&area, i, 0), AREA_IN, (size_t)columns * size);
    return area;
}

Area area_copy(const Area *area)
{
    Area copy = *area;
    copy.memory = memory_new(area->bytes);
    memcpy(copy.memory, area->memory, area->bytes);
    copy.data = copy.memory + ((const guint8 *)area->data - area->memory);
    return copy;
}

void area_clear(Area *area)
{
    free(area->memory);
    *area = (Area){0};
}

void *area_at(const Area *area, int row, int column)
{
    return (guint8 *)area->data + (row * area->pitch + column) * (ptrdiff_t)area->size;
}

static bool is_guard(const Area *area, const guint8 *from, const guint8 *to)
{
    for (; from < to; from++)
        if (*from != area->guard)
            return false;
    return true;
}

bool area_is_kept(const Area *area)
{
    const guint8 *from = area->memory;
    for (int i = 0; i < area->rows; i++) {
        if (!is_guard(area, from, area_at(area, i, 0)))
            return false;
        from = area_at(area, i, area->columns);
    }
    return is_guard(area, from, area->memory + area->bytes);
}
