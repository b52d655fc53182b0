/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "html-page.h"

#include "html-parts.h"
#include "output-file.h"

#define PICTURE_SIDE 640 /* pixels; larger ones are scaled down */

struct HtmlPage {
    OutputFile
        *output; /* pictures go straight to the disk: memory does not grow with their number */
    gboolean has_rows;
    GString *problems;
};

static const char style[] =
    "<style>\n"
    "dialog { width: 100vw; height: 100vh; max-width: none; max-height: none; padding: 1rem;\n"
    "  border: 0; color: var(--ink); background: var(--paper) }\n"
    "dialog[open] { display: flex; flex-direction: column; gap: .5rem }\n"
    "dialog img { flex: 1; min-height: 0; object-fit: contain; cursor: zoom-out }\n"
    "dialog p { margin: 0; text-align: center }\n"
    "dialog b { font-weight: 600 }\n"
    ".problems { margin-top: 2rem; color: var(--ink) }\n"
    ".problems li { overflow-wrap: anywhere }\n"
    "</style>\n";

/* Without scripts the page still shows everything; this adds the large view. */
static const char tail[] =
    "<dialog aria-label=\"Large view\"><img alt=\"\"><p></p></dialog>\n"
    "<script>\n"
    "const rows = [...document.querySelectorAll('.row')];\n"
    "const dialog = document.querySelector('dialog');\n"
    "const [large, label] = dialog.children;\n"
    "let row = 0, column = 0;\n"
    "function show() {\n"
    "  const figures = rows[row].querySelectorAll('figure');\n"
    "  column = (column + figures.length) % figures.length;\n"
    "  large.src = figures[column].querySelector('img').src;\n"
    "  large.alt = figures[column].querySelector('img').alt;\n"
    "  label.textContent = rows[row].querySelector('.name').textContent + ' \\u00b7 ' +\n"
    "    [...figures].map(f => f.textContent.trim()).map((t, i) => i == column ? `[${t}]` : t)\n"
    "    .join('  ');\n"
    "}\n"
    "rows.forEach((element, i) => element.addEventListener('click', event => {\n"
    "  const figures = [...element.querySelectorAll('figure')];\n"
    "  const hit = figures.indexOf(event.target.closest('figure'));\n"
    "  event.preventDefault();\n"
    "  row = i;\n"
    "  column = hit >= 0 ? hit : Math.min(1, figures.length - 1);\n"
    "  show();\n"
    "  dialog.showModal();\n"
    "}));\n"
    "large.addEventListener('click', () => dialog.close());\n"
    "dialog.addEventListener('close', () => rows[row].focus());\n"
    "document.addEventListener('keydown', event => {\n"
    "  const down = {ArrowDown: 1, j: 1, ArrowUp: -1, k: -1}[event.key];\n"
    "  const right = {ArrowRight: 1, l: 1, ArrowLeft: -1, h: -1}[event.key];\n"
    "  if (event.ctrlKey || event.altKey || event.metaKey || !rows.length)\n"
    "    return;\n"
    "  if (down && (dialog.open || event.key.length == 1)) {\n"
    "    const at = rows.indexOf(document.activeElement);\n"
    "    row = Math.max(0, Math.min(rows.length - 1, (dialog.open ? row : at) + down));\n"
    "    if (dialog.open) show(); else rows[row].focus();\n"
    "  } else if (right && dialog.open) {\n"
    "    column += right;\n"
    "    show();\n"
    "  } else {\n"
    "    return;\n"
    "  }\n"
    "  event.preventDefault();\n"
    "});\n"
    "</script>\n"
    "</html>\n";

HtmlPage *html_page_open(const char *file, const char *title, GError **error)
{
    OutputFile *output = output_file_open(file, error);

    if (!output)
        return NULL;
    HtmlPage *page = g_new0(HtmlPage, 1);
    g_autofree char *safe = g_markup_escape_text(title, -1);
    page->output = output;
    page->problems = g_string_new(NULL);
    html_write_head(output->stream, title);
    fprintf(output->stream, "%s<h1>%s</h1>\n<dl>\n", style, safe);
    return page;
}

void html_page_add_fact(HtmlPage *page, const char *name, const char *value)
{
    g_autofree char *safe = g_markup_escape_text(value, -1);

    fprintf(page->output->stream, "<div><dt>%s</dt><dd>%s</dd></div>\n", name, safe);
}

/* Ends the head, once. */
static void begin_rows(HtmlPage *page)
{
    if (page->has_rows)
        return;
    page->has_rows = TRUE;
    fputs("</dl>\n<p class=\"hint\"><kbd>Tab</kbd> or <kbd>j</kbd> <kbd>k</kbd> chooses, "
          "<kbd>Enter</kbd> enlarges; there <kbd>\u2190</kbd> <kbd>\u2192</kbd> compares in place, "
          "<kbd>\u2191</kbd> <kbd>\u2193</kbd> goes on, <kbd>Esc</kbd> returns.</p>\n<ol>\n",
          page->output->stream);
}

gboolean html_page_add_row(HtmlPage *page, const char *name, const HtmlPicture *pictures, int n,
                           GError **error)
{
    FILE *stream = page->output->stream;
    g_autofree char *safe = g_markup_escape_text(name, -1);

    begin_rows(page);
    fprintf(
        stream,
        "<li><a class=\"row\" href=\"#\"><div class=\"name\">%s</div><div class=\"pictures\">\n",
        safe);
    for (int i = 0; i < n; i++) {
        g_autofree char *alt = g_strdup_printf("%s of %s", pictures[i].caption, name);
        fputs("<figure>", stream);
        if (!html_write_picture(stream, pictures[i].picture, PICTURE_SIDE, alt, error))
            return FALSE;
        fprintf(stream, "<figcaption>%s</figcaption></figure>\n", pictures[i].caption);
    }
    fputs("</div></a></li>\n", stream);
    return TRUE;
}

void html_page_add_problem(HtmlPage *page, const char *text)
{
    g_autofree char *safe = g_markup_escape_text(text, -1);

    g_string_append_printf(page->problems, "<li>%s</li>\n", safe);
}

gboolean html_page_commit(HtmlPage *page, GError **error)
{
    OutputFile *output = page->output;

    begin_rows(page);
    fputs("</ol>\n", output->stream);
    if (page->problems->len)
        fprintf(output->stream, "<div class=\"problems\"><p>Left out:</p><ul>\n%s</ul></div>\n",
                page->problems->str);
    fputs(tail, output->stream);
    page->output = NULL;
    html_page_discard(page);
    return output_file_commit(output, error);
}

void html_page_discard(HtmlPage *page)
{
    if (!page)
        return;
    output_file_discard(page->output);
    g_string_free(page->problems, TRUE);
    g_free(page);
}
