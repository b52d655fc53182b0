/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Paints boxes with soft edges and a grain, as a camera high above a town sees them.
 */
#ifndef AERIAL_CANVAS_H
#define AERIAL_CANVAS_H

#include <glib.h>

/**
 * Canvas:
 * @rgb: 3 bytes a pixel, rows @stride bytes apart.
 * @zoom: pixels of one unit of the town.  @x, @y: the place in the middle of the picture.
 * @cosine, @sine: how far the town is turned against the picture.
 */
typedef struct {
    guint8 *rgb;
    int width, height;
    gsize stride;
    double zoom, x, y, cosine, sine;
} Canvas;

/** Material: what there is to paint with. The lighter roofs come first. */
typedef enum {
    ASPHALT,
    MARKING,
    PAVEMENT,
    YARD,
    LAWN,
    DRY_GRASS,
    SAND,
    PATH,
    TRACK,
    BANK,
    WATER,
    LEAVES,
    SUNLIT_LEAVES,
    SHADOW,
    DARK_SIDE, /* of a pitched roof, over it */
    ROOFS,
    WHITE_ROOF = ROOFS,
    LIGHT_ROOF,
    GREY_ROOF,
    TAR_ROOF,
    ROOFS_END = ROOFS + 8,
    CARS = ROOFS_END,
    CARS_END = CARS + 5,
} Material;

/** canvas_box: @x, @y is its middle; @round the radius of its corners. */
void canvas_box(const Canvas *canvas, Material material, double x, double y, double width,
                double height, double round);

/** canvas_line: its ends are half discs around the two points. */
void canvas_line(const Canvas *canvas, Material material, double x0, double y0, double x1,
                 double y1, double width);

/** canvas_reach: how far from its middle the picture shows the town. */
double canvas_reach(const Canvas *canvas);

/**
 * noise_at: a number in [0, 1) that belongs to the three.
 * Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014), mix64.
 */
double noise_at(guint seed, int x, int y);

/** noise_smooth: the same between whole numbers, without steps. */
double noise_smooth(guint seed, double x, double y);

#endif
