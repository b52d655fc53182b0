/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * draw-facades FOLDER: draws the label maps that the project ships as its example input.
 *
 *   draw-facades examples/facades                   eight houses, 1.png to 8.png
 *   draw-facades --frames 75 --house 2 frames       75 frames of one that moves, 0001.png ...
 */
#include "draw-pictures.h"
#include "facade-drawing.h"

int main(int argc, char **argv)
{
    static const DrawPictures what = {
        .program = "draw-facades",
        .styles = FACADE_STYLES,
        .frames_help = "Draw N frames of one house that moves",
        .which = "house",
        .which_help = "Which one moves (1)",
        .draw = facade_draw,
    };

    return draw_pictures(&what, argc, argv);
}
