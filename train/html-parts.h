/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What our HTML pages have in common: how they begin and look, and pictures inside the page. */
#ifndef HTML_PARTS_H
#define HTML_PARTS_H

#include "picture.h"

#include <stdio.h>

/**
 * html_write_head:
 * Everything from the doctype to the title, in light and dark; ends where more styles or the body
 * may follow. @title: any text.
 */
void html_write_head(FILE *stream, const char *title);

/**
 * html_encode_picture:
 * Returns: (transfer full): @picture as a data URI, which needs no escaping; at most @side pixels
 * wide and high. @width, @height: (out) (optional): the size that it has there.
 */
char *html_encode_picture(const Picture *picture, int side, int *width, int *height,
                          GError **error);

/**
 * html_write_picture: Writes an img element.
 * @alt: any text.
 * Returns: the bytes that it took; 0 with an error.
 */
gsize html_write_picture(FILE *stream, const Picture *picture, int side, const char *alt,
                         GError **error);

#endif
