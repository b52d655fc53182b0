/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What the programs that draw example input have in common: a folder of PNGs, or of frames. */
#ifndef DRAW_PICTURES_H
#define DRAW_PICTURES_H

#include <glib.h>

typedef struct {
    const char *program;     /* for messages */
    int styles;              /* how many pictures there are */
    const char *frames_help; /* of --frames */
    const char *which;       /* the option that says which one the frames show */
    const char *which_help;
    void (*draw)(guint8 *rgb, int width, int height, gsize stride, guint seed, double seconds);
} DrawPictures;

/** draw_pictures: Returns: the program's exit status; what went wrong has been printed. */
int draw_pictures(const DrawPictures *what, int argc, char **argv);

#endif
