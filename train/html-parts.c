/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "html-parts.h"

#include "image-file.h"

#include <string.h>

static const char head[] =
    "<!doctype html>\n"
    "<html lang=\"en\">\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<style>\n"
    ":root { --ink: #1c1c1e; --dim: #6a6a70; --paper: #fbfaf8; --line: #dedcd6; --mark: #0b62d6 }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "  :root { --ink: #ececee; --dim: #98989f; --paper: #161618; --line: #333338; --mark: #6ab0ff "
    "}\n"
    "}\n"
    "* { box-sizing: border-box }\n"
    "body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 84rem; color: var(--ink);\n"
    "  background: var(--paper); font: 15px/1.5 system-ui, sans-serif }\n"
    "h1 { margin: 0 0 .75rem; font-size: 1.5rem; font-weight: 600 }\n"
    "dl { display: flex; flex-wrap: wrap; gap: .25rem 2rem; margin: 0 0 1rem }\n"
    "dl div { display: flex; gap: .5rem }\n"
    "dt, figcaption, .hint { color: var(--dim) }\n"
    "dd { margin: 0 }\n"
    ".hint { margin: 0 0 1.5rem; font-size: .9rem }\n"
    "kbd { padding: 0 .35em; border: 1px solid var(--line); border-radius: 4px; font: inherit;\n"
    "  font-size: .85em }\n"
    "ol { display: grid; gap: 1.5rem; margin: 0; padding: 0; list-style: none;\n"
    "  grid-template-columns: repeat(auto-fill, minmax(min(100%, 34rem), 1fr)) }\n"
    ".row { display: block; padding: .5rem; border: 1px solid var(--line);\n"
    "  border-radius: 8px; color: inherit; text-decoration: none; cursor: zoom-in }\n"
    ".row:focus-visible, .row:hover { outline: 2px solid var(--mark); outline-offset: 1px }\n"
    ".name { margin: 0 .15rem .35rem; overflow-wrap: anywhere }\n"
    ".pictures { display: flex; gap: .5rem }\n"
    "figure { flex: 1; min-width: 0; margin: 0 }\n"
    ".row img { display: block; width: 100%; height: auto; border-radius: 4px }\n"
    "figcaption { margin: .2rem .15rem 0; font-size: .85rem }\n"
    "</style>\n";

void html_write_head(FILE *stream, const char *title)
{
    g_autofree char *safe = g_markup_escape_text(title, -1);

    fprintf(stream, "%s<title>%s</title>\n", head, safe);
}

static Picture *shrink(const Picture *picture, int side)
{
    int longest = MAX(picture->width, picture->height);

    if (longest <= side)
        return picture_scale(picture, picture->width, picture->height);
    return picture_scale(picture, MAX(1, (gint64)picture->width * side / longest),
                         MAX(1, (gint64)picture->height * side / longest));
}

char *html_encode_picture(const Picture *picture, int side, int *width, int *height, GError **error)
{
    g_autoptr(Picture) small = shrink(picture, side);
    const char *mime;
    g_autoptr(GBytes) encoded = picture_encode_small(small, &mime, error);
    gsize bytes;

    if (!encoded)
        return NULL;
    const guint8 *data = g_bytes_get_data(encoded, &bytes);
    g_autofree char *base64 = g_base64_encode(data, bytes);
    if (width)
        *width = small->width;
    if (height)
        *height = small->height;
    return g_strdup_printf("data:%s;base64,%s", mime, base64);
}

gsize html_write_picture(FILE *stream, const Picture *picture, int side, const char *alt,
                         GError **error)
{
    int width, height;
    g_autofree char *uri = html_encode_picture(picture, side, &width, &height, error);

    if (!uri)
        return 0;
    g_autofree char *safe = g_markup_escape_text(alt, -1);
    fprintf(stream, "<img width=\"%d\" height=\"%d\" alt=\"%s\" decoding=\"async\" src=\"%s\">",
            width, height, safe, uri);
    return strlen(uri);
}
