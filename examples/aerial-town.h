/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Where things are in an endless town: streets that cross at right angles, the blocks between them,
 * and a river and a motorway that pass through. It is measured in units of about 2.3 m; a place is
 * computed when it is asked for, always to the same answer.
 */
#ifndef AERIAL_TOWN_H
#define AERIAL_TOWN_H

#include <glib.h>

/** Kind: what stands on a block. */
typedef enum { ROWS, HOUSES, SLABS, WORKS, PARKING, SCHOOL, PARK, KINDS } Kind;

/**
 * Band:
 * @x, @y: a place in its middle.  @along_x, @along_y: where it goes, of length 1.
 * @width: from edge to edge.  @bend: how far it swings out, once in 2 pi @length.
 */
typedef struct {
    double x, y, along_x, along_y;
    double width, bend, length;
} Band;

/**
 * Town:
 * @x, @y: where a flight starts.  @turn: of the streets in the picture, radians.
 * @pitch_x, @pitch_y: from street to street.  @avenues: each so many-th street is a wide one.
 * @parks: share of the ground that is park.  @trees: how many on 100 square units.
 * @shares: of the kinds before PARK in the rest of the ground.
 * @river, @motorway: NULL where there is none.
 */
typedef struct {
    guint seed;
    double x, y, turn;
    double pitch_x, pitch_y;
    int avenues;
    double parks, trees, shares[PARK];
    const Band *river, *motorway;
} Town;

/** Block: what is between four streets; parks grow over the small streets between them. */
typedef struct {
    Kind kind;
    guint seed;
    double left, top, right, bottom;
} Block;

/** town_init: seeds beyond AERIAL_STYLES are other places of these. */
void town_init(Town *town, guint seed);

/** town_street_x: the middle of street number @i, which runs along y; town_street_y: along x. */
double town_street_x(const Town *town, int i);
double town_street_y(const Town *town, int j);

/** town_street_width: from kerb to kerb, of either. */
double town_street_width(const Town *town, int number);

/** town_block: the one to the right of street @i and below street @j. */
Block town_block(const Town *town, int i, int j);

/** band_at: where its middle is when one has gone @way along it. */
void band_at(const Band *band, double way, double *x, double *y);

/** band_way: how far along it one is nearest to a place. */
double band_way(const Band *band, double x, double y);

/** town_is_free: whether neither river nor motorway comes within @radius of a place. */
gboolean town_is_free(const Town *town, double x, double y, double radius);

#endif
