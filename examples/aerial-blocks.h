/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What stands on the blocks of a town.
 */
#ifndef AERIAL_BLOCKS_H
#define AERIAL_BLOCKS_H

#include "aerial-canvas.h"
#include "aerial-town.h"

/**
 * Scene: one picture of a town.
 * @shade_x, @shade_y: the shadow of a thing of height 1.
 * @seed, @rolls: of the random numbers of the block that is drawn.
 */
typedef struct {
    Canvas canvas;
    Town town;
    double shade_x, shade_y;
    guint seed;
    int rolls;
} Scene;

/** aerial_draw_ground: pavement, lawns, yards: what a river may flow over. */
void aerial_draw_ground(Scene *scene, const Block *block);

/** aerial_draw_buildings: with trees and cars. Nothing that a river or a motorway touches. */
void aerial_draw_buildings(Scene *scene, const Block *block);

#endif
