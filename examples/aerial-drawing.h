/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Draws quarters of a town as an aerial photo shows them: what a maps model turns into a street
 * map. No data needed. Measures and colours are those of the aerial photos of New York that the
 * pix2pix authors' maps data set holds.
 */
#ifndef AERIAL_DRAWING_H
#define AERIAL_DRAWING_H

#include <glib.h>

#define AERIAL_STYLES 6 /* different quarters; seeds beyond them are other places of these */

/**
 * aerial_draw:
 * @rgb: 3 bytes a pixel, rows @stride bytes apart; every pixel is written. The picture's width
 * shows 256 units of about 2.3 m.
 * @seed: which quarter.  @seconds: of a flight over it and on, which starts at 0.
 * The same arguments give the same pixels on every machine.
 */
void aerial_draw(guint8 *rgb, int width, int height, gsize stride, guint seed, double seconds);

#endif
