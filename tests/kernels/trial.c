/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "trial.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* ---- what is drawn ---- */

int trial_draw(Trial *t, int least, int most)
{
    switch (g_rand_int_range(t->rand, 0, 8)) {
    case 0:
        return least;
    case 1:
        return most;
    default:
        return g_rand_int_range(t->rand, least, most + 1);
    }
}

double trial_draw_value(Trial *t)
{
    return t->whole ? g_rand_int_range(t->rand, -TRIAL_WHOLE, TRIAL_WHOLE + 1)
                    : g_rand_double_range(t->rand, -1, 1);
}

void trial_fill(Trial *t, const Area *area)
{
    for (int i = 0; i < area->rows; i++)
        for (int j = 0; j < area->columns; j++)
            *(float *)area_at(area, i, j) = (float)trial_draw_value(t);
}

void trial_fill_bf16(Trial *t, const Area *area)
{
    for (int i = 0; i < area->rows; i++)
        for (int j = 0; j < 2 * area->columns; j++) {
            float value = (float)trial_draw_value(t);
            memcpy((uint16_t *)area_at(area, i, 0) + j, (char *)&value + 2, sizeof(uint16_t));
        }
}

void trial_fill_bits(Trial *t, const Area *area)
{
    for (int i = 0; i < area->rows; i++)
        for (int j = 0; j < area->columns; j++)
            *(guint32 *)area_at(area, i, j) = g_rand_int(t->rand);
}

void trial_fill_ints(Trial *t, const Area *area)
{
    int most = t->whole ? TRIAL_WHOLE : 1000;
    for (int i = 0; i < area->rows; i++)
        for (int j = 0; j < area->columns; j++)
            *(gint32 *)area_at(area, i, j) = g_rand_int_range(t->rand, -most, most + 1);
}

Area trial_input(Trial *t, int rows, int columns, ptrdiff_t pitch)
{
    Area area = area_new(sizeof(float), rows, columns, pitch, trial_draw(t, 0, 15), AREA_IN);
    trial_fill(t, &area);
    return area;
}

Area trial_output(Trial *t, int rows, int columns, ptrdiff_t pitch, int offset, bool added)
{
    Area area = area_new(sizeof(float), rows, columns, pitch, offset, AREA_OUT);
    if (added)
        trial_fill(t, &area);
    return area;
}

const float **trial_list(Trial *t, const Area *area, int count)
{
    const float **rows = g_new(const float *, count);
    for (int i = 0; i < count; i++)
        rows[i] = area_at(area, trial_draw(t, 0, area->rows - 1), 0);
    return rows;
}

/* ---- the verdict ---- */

static bool agree(const Trial *t, float found, float expected, double bound)
{
    return t->whole ? found == expected : fabs((double)found - (double)expected) <= bound;
}

static void expect_kept(const Trial *t, const Area *found)
{
    if (!area_is_kept(found))
        fail_msg("%s, trial %d: memory around %d x %d was written", t->name, t->number, found->rows,
                 found->columns);
}

void trial_expect(const Trial *t, const Area *found, const Area *expected, double bound)
{
    expect_kept(t, found);
    for (int i = 0; i < found->rows; i++)
        for (int j = 0; j < found->columns; j++) {
            const float *f = area_at(found, i, j), *e = area_at(expected, i, j);
            if (!agree(t, *f, *e, bound))
                fail_msg("%s, trial %d, [%d][%d] of %d x %d: %.9g instead of %.9g", t->name,
                         t->number, i, j, found->rows, found->columns, (double)*f, (double)*e);
        }
}

void trial_expect_bits(const Trial *t, const Area *found, const Area *expected)
{
    expect_kept(t, found);
    for (int i = 0; i < found->rows; i++)
        if (memcmp(area_at(found, i, 0), area_at(expected, i, 0),
                   (size_t)found->columns * found->size) != 0)
            fail_msg("%s, trial %d: row %d of %d x %d is another", t->name, t->number, i,
                     found->rows, found->columns);
}
