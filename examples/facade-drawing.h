/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Draws label maps of house fronts: what a facades model turns into photos. No data needed, only
 * rectangles in the colours of the CMP facade database's labels.
 */
#ifndef FACADE_DRAWING_H
#define FACADE_DRAWING_H

#include <glib.h>

#define FACADE_STYLES 8 /* different houses; seeds beyond them vary these */

/**
 * facade_draw:
 * @rgb: 3 bytes a pixel, rows @stride bytes apart; every pixel is written.
 * @seed: which house.  @seconds: of the animation; at 0 everything stands still where it is drawn
 * best. The same arguments give the same pixels on every machine.
 */
void facade_draw(guint8 *rgb, int width, int height, gsize stride, guint seed, double seconds);

#endif
