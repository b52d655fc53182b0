/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * A page of pictures in one HTML file: nothing is fetched from anywhere. Rows of input, output and
 * target; arrow keys move between them and compare a row's pictures in place.
 */
#ifndef HTML_PAGE_H
#define HTML_PAGE_H

#include "image-file.h"

typedef struct HtmlPage HtmlPage;

/** html_page_open: Starts @file, which appears under its name with html_page_commit(). */
HtmlPage *html_page_open(const char *file, const char *title, GError **error);
/** html_page_add_fact: A line of the head, such as "model", "facades". Before the first row. */
void html_page_add_fact(HtmlPage *page, const char *name, const char *value);

/** HtmlPicture: one picture of a row and what it is called: "input". */
typedef struct {
    const char *caption;
    const Picture *picture;
} HtmlPicture;

/** html_page_add_row: @pictures: @n of them, n > 0; large ones are scaled down for the page. */
gboolean html_page_add_row(HtmlPage *page, const char *name, const HtmlPicture *pictures, int n,
                           GError **error);
/** html_page_add_problem: Something that has no pictures: what went wrong, in one line. */
void html_page_add_problem(HtmlPage *page, const char *text);
/** html_page_commit: Ends the file, puts it in its place and frees @page. */
gboolean html_page_commit(HtmlPage *page, GError **error);
/** html_page_discard: Leaves no file. Accepts NULL. */
void html_page_discard(HtmlPage *page);

#endif
