/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * draw-aerials FOLDER: draws the aerial photos that the project ships as its example input.
 *
 *   draw-aerials examples/aerials                     six quarters, 1.png to 6.png
 *   draw-aerials --frames 100 --quarter 3 frames      100 frames of a flight, 0001.png ...
 */
#include "aerial-drawing.h"
#include "draw-pictures.h"

int main(int argc, char **argv)
{
    static const DrawPictures what = {
        .program = "draw-aerials",
        .styles = AERIAL_STYLES,
        .frames_help = "Draw N frames of a flight",
        .which = "quarter",
        .which_help = "Where it starts (1)",
        .draw = aerial_draw,
    };

    return draw_pictures(&what, argc, argv);
}
