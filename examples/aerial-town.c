/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "aerial-town.h"

#include "aerial-canvas.h"
#include "aerial-drawing.h"

#include <math.h>

static const Band wide_river = {0, -80, 0.995, 0.1, 120, 9, 60};
static const Band winding_river = {0, 90, 0.96, -0.28, 90, 18, 50};
static const Band motorway = {0, 0, 0.8, 0.6, 20, 16, 70};

/* Shares are those of ROWS, HOUSES, SLABS, WORKS, PARKING and SCHOOL. */
static const Town towns[AERIAL_STYLES] = {
    /* a park by a river */
    {6, 0, 0, 0.2, 42, 80, 3, 0.4, 1.4, {0.7, 0, 0.2, 0, 0, 0.1}, &winding_river, NULL},
    /* works and yards at a river */
    {2, -60, 20, 1.2, 46, 88, 2, 0.1, 1, {0.5, 0, 0.1, 0.3, 0.1, 0}, &wide_river, NULL},
    /* the edge of a large park */
    {3, -120, 329, 0.3, 46, 90, 3, 0.55, 1.3, {0.6, 0, 0.3, 0.1, 0, 0}, NULL, NULL},
    /* a motorway past works and houses */
    {4, -187, -129, 0.12, 44, 86, 4, 0.1, 1.1, {0.5, 0.12, 0, 0.2, 0.1, 0.08}, NULL, &motorway},
    /* houses with gardens */
    {5, 171, 69, -0.6, 44, 92, 3, 0.18, 2.4, {0.06, 0.84, 0, 0, 0, 0.1}, NULL, NULL},
    /* rows of houses around a park */
    {1, 159, -241, 0.5, 42, 84, 3, 0.12, 1.6, {0.74, 0.1, 0.06, 0.06, 0, 0.04}, NULL, NULL},
};

void town_init(Town *town, guint seed)
{
    *town = towns[seed % AERIAL_STYLES];
    town->seed += seed / AERIAL_STYLES * AERIAL_STYLES;
}

static double street(const Town *town, double pitch, guint axis, int number)
{
    return pitch * (number + 0.3 * (noise_at(town->seed, axis, number) - 0.5));
}

double town_street_x(const Town *town, int i)
{
    return street(town, town->pitch_x, 1, i);
}

double town_street_y(const Town *town, int j)
{
    return street(town, town->pitch_y, 2, j);
}

static gboolean is_avenue(const Town *town, int number)
{
    return number % town->avenues == 0;
}

double town_street_width(const Town *town, int number)
{
    return is_avenue(town, number) ? 9 : 5.5;
}

/* Parks are dealt out in pieces of three by two blocks. */
static Kind kind_of(const Town *town, int i, int j)
{
    double share = noise_at(town->seed + 1000, i, j);

    if (noise_at(town->seed + 2000, floor(i / 3.0), floor(j / 2.0)) < town->parks)
        return PARK;
    for (Kind kind = 0; kind < PARK; kind++) {
        if (share < town->shares[kind])
            return kind;
        share -= town->shares[kind];
    }
    return ROWS;
}

/* Returns: how far a block stays away from the middle of a street that lies between it and a
 * neighbour. */
static double margin(const Town *town, Kind kind, int street, int i, int j)
{
    if (kind == PARK && !is_avenue(town, street) && kind_of(town, i, j) == PARK)
        return -1;
    return town_street_width(town, street) / 2;
}

static double swing(const Band *band, double way)
{
    return band->bend * sin(way / band->length);
}

void band_at(const Band *band, double way, double *x, double *y)
{
    double aside = swing(band, way);

    *x = band->x + way * band->along_x - aside * band->along_y;
    *y = band->y + way * band->along_y + aside * band->along_x;
}

double band_way(const Band *band, double x, double y)
{
    return (x - band->x) * band->along_x + (y - band->y) * band->along_y;
}

static gboolean is_near(const Band *band, double x, double y, double radius)
{
    double aside, way;

    if (!band)
        return FALSE;
    way = band_way(band, x, y);
    aside = (y - band->y) * band->along_x - (x - band->x) * band->along_y;
    return fabs(aside - swing(band, way)) < band->width / 2 + radius;
}

gboolean town_is_free(const Town *town, double x, double y, double radius)
{
    return !is_near(town->river, x, y, radius) && !is_near(town->motorway, x, y, radius);
}

Block town_block(const Town *town, int i, int j)
{
    Kind kind = kind_of(town, i, j);
    Block block = {
        .kind = kind,
        .seed = town->seed * 7919 + (guint)i * 131 + (guint)j,
        .left = town_street_x(town, i) + margin(town, kind, i, i - 1, j),
        .top = town_street_y(town, j) + margin(town, kind, j, i, j - 1),
        .right = town_street_x(town, i + 1) - margin(town, kind, i + 1, i + 1, j),
        .bottom = town_street_y(town, j + 1) - margin(town, kind, j + 1, i, j + 1),
    };

    /* A school needs a whole block. */
    if (kind == SCHOOL && !town_is_free(town, (block.left + block.right) / 2,
                                        (block.top + block.bottom) / 2, town->pitch_y / 2))
        block.kind = ROWS;
    return block;
}
