/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What pix2pix test writes: pictures and their page. */
#include "cmd-test.h"
#include "image-file.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

gboolean test_make_folder(const Test *test, const char *name, GError **error)
{
    g_autofree char *folder = g_build_filename(test->output, name, NULL);

    if (!g_mkdir_with_parents(folder, 0777))
        return TRUE;
    g_set_error(error, PIX_ERROR, PIX_ERROR_IO,
                "%s: cannot be made a folder (%s), choose another --output", folder,
                g_strerror(errno));
    return FALSE;
}

gboolean test_open_page(Test *test, const char *direction, GError **error)
{
    const PixModelInfo *info = pix_model_get_info(test->model);
    const PixSessionOptions *session = &test->session;
    g_autofree char *file = g_build_filename(test->output, "index.html", NULL);
    g_autofree char *name = g_path_get_basename(test->model_name);
    g_autofree char *shown = command_show(name);
    g_autofree char *size = test->native
                                ? g_strdup("of each picture")
                                : g_strdup_printf("%d \u00d7 %d", session->width, session->height);

    test->page = html_page_open(file, shown, error);
    if (!test->page)
        return FALSE;
    html_page_add_fact(test->page, "network", info->architecture);
    html_page_add_fact(test->page, "size", size);
    if (!strcmp(info->norm, "batch"))
        html_page_add_fact(test->page, "statistics", command_statistics[session->statistics]);
    if (info->has_dropout)
        html_page_add_fact(test->page, "dropout", command_dropout[session->dropout]);
    if (direction)
        html_page_add_fact(test->page, "direction", direction);
    return TRUE;
}

void test_add_broken(Test *test, const char *message)
{
    command_print_error("%s", message);
    html_page_add_problem(test->page, message);
    test->broken++;
}

static gboolean write_picture(const Test *test, const char *folder, const char *name,
                              const Picture *picture, GError **error)
{
    g_autofree char *png = g_strconcat(name, ".png", NULL);
    g_autofree char *file = g_build_filename(test->output, folder, png, NULL);

    return picture_write_png(picture, file, error);
}

gboolean test_add_output(Test *test, const char *name, const Picture *input, const Picture *output,
                         const Picture *target, GError **error)
{
    g_autofree char *shown = command_show(name);
    const HtmlPicture row[] = {{"input", input}, {"output", output}, {"target", target}};

    if (!write_picture(test, "", name, output, error) ||
        (target && !write_picture(test, "targets", name, target, error)))
        return FALSE;
    test->done++;
    return html_page_add_row(test->page, shown, row, target ? 3 : 2, error);
}

int test_finish(Test *test, int seen, int total)
{
    GError *error = NULL;

    if (seen < total) {
        g_autofree char *text = g_strdup_printf("interrupted after %d of %d images", seen, total);
        command_print_error("%s", text);
        html_page_add_problem(test->page, text);
    }
    if (!html_page_commit(g_steal_pointer(&test->page), &error))
        return command_fail(error);
    if (test->done) {
        g_autofree char *shown = command_show(test->output);
        printf("%d images, %.1f ms each in the network; see %s/index.html\n", test->done,
               test->network_ms / test->done, shown);
    }
    if (command_interrupted())
        return command_interrupted();
    if (test->broken)
        command_print_error("%d inputs could not be translated, see above", test->broken);
    return test->broken ? COMMAND_FAILED : COMMAND_DONE;
}
