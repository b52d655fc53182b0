/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * draw-aerials FOLDER: draws the aerial photos that the project ships as its example input.
 *
 *   draw-aerials examples/aerials                     six quarters, 1.png to 6.png
 *   draw-aerials --frames 100 --quarter 3 frames      100 frames of a flight, 0001.png ...
 */
#include "aerial-drawing.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>
#include <stdio.h>

static gboolean draw(const char *folder, const char *name, int size, guint seed, double seconds,
                     GError **error)
{
    g_autofree char *file = g_build_filename(folder, name, NULL);
    g_autoptr(GdkPixbuf) pixbuf = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, size, size);

    if (!pixbuf) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM, "no memory for %d x %d", size, size);
        return FALSE;
    }
    aerial_draw(gdk_pixbuf_get_pixels(pixbuf), size, size, gdk_pixbuf_get_rowstride(pixbuf), seed,
                seconds);
    return gdk_pixbuf_save(pixbuf, file, "png", error, NULL);
}

int main(int argc, char **argv)
{
    int frames = 0, rate = 25, size = 256, quarter = 1;
    const GOptionEntry entries[] = {
        {"frames", 0, 0, G_OPTION_ARG_INT, &frames, "Draw N frames of a flight", "N"},
        {"rate", 0, 0, G_OPTION_ARG_INT, &rate, "Frames a second (25)", "N"},
        {"quarter", 0, 0, G_OPTION_ARG_INT, &quarter, "Where it starts (1)", "N"},
        {"size", 0, 0, G_OPTION_ARG_INT, &size, "Width and height in pixels (256)", "N"},
        {0},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) options = g_option_context_new("FOLDER");
    gboolean ok = TRUE;

    g_option_context_add_main_entries(options, entries, NULL);
    if (!g_option_context_parse(options, &argc, &argv, &error) || argc != 2 || frames < 0 ||
        rate < 1 || size < 1 || size > 8192 || quarter < 1) {
        fprintf(stderr, "draw-aerials: %s, see --help\n",
                error ? error->message : "takes one FOLDER and sensible numbers");
        return 2;
    }
    if (g_mkdir_with_parents(argv[1], 0777)) {
        fprintf(stderr, "draw-aerials: %s: cannot be made a folder\n", argv[1]);
        return 1;
    }
    for (int i = 0; ok && i < (frames ? frames : AERIAL_STYLES); i++) {
        g_autofree char *name = g_strdup_printf(frames ? "%04d.png" : "%d.png", i + 1);
        ok = draw(argv[1], name, size, frames ? quarter - 1 : i, frames ? (double)i / rate : 0,
                  &error);
    }
    if (!ok)
        fprintf(stderr, "draw-aerials: %s\n", error->message);
    return ok ? 0 : 1;
}
