/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "html-page.h"

#include "output-file.h"

struct HtmlPage {
    OutputFile
        *output; /* pictures go straight to the disk: memory does not grow with their number */
    gboolean has_rows;
    GString *problems;
};

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
    fputs(head, output->stream);
    fprintf(output->stream, "<title>%s</title>\n<h1>%s</h1>\n<dl>\n", safe, safe);
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
        const char *mime;
        g_autoptr(GBytes) encoded = picture_encode_small(pictures[i].picture, &mime, error);
        if (!encoded)
            return FALSE;
        gsize bytes;
        const guint8 *data = g_bytes_get_data(encoded, &bytes);
        g_autofree char *base64 = g_base64_encode(data, bytes);
        fprintf(stream,
                "<figure><img width=\"%d\" height=\"%d\" alt=\"%s of %s\" decoding=\"async\" "
                "src=\"data:%s;base64,%s\"><figcaption>%s</figcaption></figure>\n",
                pictures[i].picture->width, pictures[i].picture->height, pictures[i].caption, safe,
                mime, base64, pictures[i].caption);
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
