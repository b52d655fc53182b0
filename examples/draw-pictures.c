/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "draw-pictures.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>
#include <stdio.h>

static gboolean draw(const DrawPictures *what, const char *folder, const char *name, int size,
                     guint seed, double seconds, GError **error)
{
    g_autofree char *file = g_build_filename(folder, name, NULL);
    g_autoptr(GdkPixbuf) pixbuf = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, size, size);

    if (!pixbuf) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM, "no memory for %d x %d", size, size);
        return FALSE;
    }
    what->draw(gdk_pixbuf_get_pixels(pixbuf), size, size, gdk_pixbuf_get_rowstride(pixbuf), seed,
               seconds);
    return gdk_pixbuf_save(pixbuf, file, "png", error, NULL);
}

int draw_pictures(const DrawPictures *what, int argc, char **argv)
{
    int frames = 0, rate = 25, size = 256, which = 1;
    const GOptionEntry entries[] = {
        {"frames", 0, 0, G_OPTION_ARG_INT, &frames, what->frames_help, "N"},
        {"rate", 0, 0, G_OPTION_ARG_INT, &rate, "Frames a second (25)", "N"},
        {what->which, 0, 0, G_OPTION_ARG_INT, &which, what->which_help, "N"},
        {"size", 0, 0, G_OPTION_ARG_INT, &size, "Width and height in pixels (256)", "N"},
        {0},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) options = g_option_context_new("FOLDER");
    gboolean ok = TRUE;

    g_option_context_add_main_entries(options, entries, NULL);
    if (!g_option_context_parse(options, &argc, &argv, &error) || argc != 2 || frames < 0 ||
        rate < 1 || size < 1 || size > 8192 || which < 1) {
        fprintf(stderr, "%s: %s, see --help\n", what->program,
                error ? error->message : "takes one FOLDER and sensible numbers");
        return 2;
    }
    if (g_mkdir_with_parents(argv[1], 0777)) {
        fprintf(stderr, "%s: %s: cannot be made a folder\n", what->program, argv[1]);
        return 1;
    }
    for (int i = 0; ok && i < (frames ? frames : what->styles); i++) {
        g_autofree char *name = g_strdup_printf(frames ? "%04d.png" : "%d.png", i + 1);
        ok = draw(what, argv[1], name, size, frames ? which - 1 : i, frames ? (double)i / rate : 0,
                  &error);
    }
    if (!ok)
        fprintf(stderr, "%s: %s\n", what->program, error->message);
    return ok ? 0 : 1;
}
