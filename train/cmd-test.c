/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * pix2pix test: pictures in, translated pictures and a page to look at them out.
 */
#include "cmd-test.h"

#include "image-file.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#define DROPOUT_NOT_GIVEN ((PixDropout)G_MAXINT)

static void test_clear(Test *test)
{
    g_free(test->output);
    g_free(test->data);
    g_free(test->split);
    g_free(test->direction);
    g_free(test->fit);
    g_free(test->epoch);
    g_free(test->model_name);
    command_options_clear(&test->options);
    settings_clear(&test->settings);
    g_clear_pointer(&test->model, pix_model_unref);
    html_page_discard(test->page);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Test, test_clear)

/* ---- what comes out ---- */

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

/* ---- what the command line means ---- */

/* "best.safetensors", or what --epoch says of the run in @folder. */
static char *find_in_run(const char *folder, const char *epoch)
{
    guint64 number;
    g_autofree char *best = g_build_filename(folder, "best.safetensors", NULL);

    if (!epoch && g_file_test(best, G_FILE_TEST_EXISTS))
        return g_steal_pointer(&best);
    if (epoch && g_ascii_string_to_unsigned(epoch, 10, 0, G_MAXINT, &number, NULL))
        return g_strdup_printf("%s/generators/epoch-%04" G_GUINT64_FORMAT ".safetensors", folder,
                               number);
    return g_strdup_printf("%s/%s.safetensors", folder, epoch ? epoch : "latest");
}

/* The model, and the run's settings where it is the folder of one. */
static gboolean open_model(Test *test, const char *name, GError **error)
{
    g_autofree char *config = g_build_filename(name, "config.json", NULL);

    test->model_name = g_strdup(name);
    if (g_file_test(config, G_FILE_TEST_EXISTS)) {
        if (!settings_read(&test->settings, config, error))
            return FALSE;
        test->has_settings = TRUE;
        g_free(test->model_name);
        test->model_name = find_in_run(name, test->epoch);
    } else if (test->epoch) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_NOT_FOUND,
                    "%s: is no folder of a run, to which --epoch belongs", name);
        return FALSE;
    }
    test->model = command_load_model(test->model_name, &test->options, FALSE, error);
    return test->model != NULL;
}

static void choose_session(Test *test, gboolean pairs)
{
    const CommandOptions *options = &test->options;
    PixSessionOptions *session = &test->session;
    PixStatistics statistics = pix_model_get_info(test->model)->statistics;

    pix_session_options_init(session, test->model);
    if (options->width) {
        session->width = options->width;
        session->height = options->height;
    }
    session->statistics = options->statistics != PIX_STATISTICS_AUTO ? options->statistics
                          : test->eval                               ? PIX_STATISTICS_RUNNING
                                                                     : statistics;
    session->dropout = options->dropout != DROPOUT_NOT_GIVEN ? options->dropout
                       : test->eval                          ? PIX_DROPOUT_OFF
                       : pairs                               ? PIX_DROPOUT_FRESH
                                                             : PIX_DROPOUT_FROZEN;
    session->seed = options->seed;
}

static int check_usage(const Command *command, Test *test, char **arguments)
{
    g_autoptr(GError) error = NULL;
    const char *direction = test->direction ? test->direction : "AtoB";
    const char *fit = test->fit ? test->fit : "stretch";

    if (!test->output || !*test->output)
        return command_misused(command, "--output DIR is %s", test->output ? "empty" : "missing");
    if (test->data && arguments[1])
        return command_misused(command, "takes either IMAGES or --data");
    if ((test->split || test->direction || test->num_test) && arguments[1])
        return command_misused(command, "--split, --direction and --num-test belong to --data");
    if (test->num_test < 0 || test->num_test > G_MAXINT)
        return command_misused(command, "--num-test takes a number from 0 to %d", G_MAXINT);
    int right =
        command_choose("--direction", direction, (const char *[]){"AtoB", "BtoA", NULL}, &error);
    int native = right < 0 ? -1
                           : command_choose("--fit", fit,
                                            (const char *[]){"stretch", "native", NULL}, &error);
    if (native < 0)
        return command_misused(command, "%s", error->message);
    test->native = native;
    return COMMAND_CONTINUE;
}

static int run_test(const Command *command, Test *test, char **arguments)
{
    GError *error = NULL;
    g_autofree char *config = g_build_filename(arguments[0], "config.json", NULL);
    gboolean is_run = g_file_test(config, G_FILE_TEST_EXISTS);
    int status = check_usage(command, test, arguments);

    if (status != COMMAND_CONTINUE)
        return status;
    if (!test->data && !arguments[1] && !is_run)
        return command_misused(command, "takes either IMAGES or --data");
    if (!open_model(test, arguments[0], &error))
        return command_fail(error);
    choose_session(test, !arguments[1]);
    return arguments[1] ? test_images(test, arguments + 1) : test_pairs(test);
}

static int run(const Command *command, int argc, char **argv)
{
    g_auto(Test) test = {.options.dropout = DROPOUT_NOT_GIVEN};
    const int hidden = G_OPTION_FLAG_HIDDEN;
    const GOptionArg text = G_OPTION_ARG_FILENAME;
    const GOptionEntry entries[] = {
        {"output", 0, 0, text, &test.output, "Folder for the PNG images and index.html", "DIR"},
        {"data", 0, 0, text, &test.data,
         "Take the side-by-side pairs A|B in DATASET/SPLIT instead of IMAGES", "DATASET"},
        {"split", 0, 0, text, &test.split, "Which folder of DATASET (val)", "NAME"},
        {"direction", 0, 0, text, &test.direction,
         "Which half of a pair is the input: AtoB the left, BtoA the right (AtoB; RUN's own)",
         "AtoB|BtoA"},
        {"num-test", 0, 0, G_OPTION_ARG_INT64, &test.num_test, "Take the first N pairs (0: all)",
         "N"},
        {"epoch", 0, 0, text, &test.epoch,
         "Which generator of RUN: best, latest, or the number of an epoch that --save-epochs kept "
         "(best; also --which-epoch, --test-epoch)",
         "WORD"},
        {"eval", 0, 0, G_OPTION_ARG_NONE, &test.eval,
         "With the statistics in the file and without dropout, unless those are given", NULL},
        {"fit", 0, 0, text, &test.fit, "How an image meets the network's size (stretch)",
         "stretch|native"},
        {"dataroot", 0, hidden, text, &test.data, NULL, ""},
        {"phase", 0, hidden, text, &test.split, NULL, ""},
        {"which-direction", 0, hidden, text, &test.direction, NULL, ""},
        {"how-many", 0, hidden, G_OPTION_ARG_INT64, &test.num_test, NULL, ""},
        {"which-epoch", 0, hidden, text, &test.epoch, NULL, ""},
        {"test-epoch", 0, hidden, text, &test.epoch, NULL, ""},
        {"results-dir", 0, hidden, text, &test.output, NULL, ""},
        {0},
    };
    CommandOptionFlags flags = COMMAND_OPTION_DOMAIN | COMMAND_OPTION_SIZE |
                               COMMAND_OPTION_STATISTICS | COMMAND_OPTION_DROPOUT |
                               COMMAND_OPTION_PRECISION | COMMAND_OPTION_DEVICE;
    g_auto(GStrv) arguments = NULL;

    settings_init(&test.settings);
    settings_spell(argc, argv);
    int status = command_parse(command, entries, flags, &test.options, argc, argv, &arguments);
    return status == COMMAND_CONTINUE ? run_test(command, &test, arguments) : status;
}

const Command command_test = {
    .name = "test",
    .arguments = "MODEL|RUN IMAGES... --output DIR",
    .summary = "Translates images and makes a page to look at them",
    .description =
        "MODEL is a checkpoint, or the name of a model; RUN is a folder that pix2pix train made. "
        "An\n"
        "image among IMAGES may be a folder. Each is written to DIR under its own name, as PNG of\n"
        "its own size, with one dropout mask for all.\n"
        "\n"
        "  --fit stretch  scales an image to the network's size and back (bilinear)\n"
        "  --fit native   takes its own size, continued at the right and bottom border up to the\n"
        "                 next size that the network can take\n"
        "\n"
        "With --data, or RUN alone for the data that it was validated on, pairs are resized to "
        "the\n"
        "network's size as for training (bicubic; --fit native: to the next size that it can "
        "take),\n"
        "outputs and DIR/targets have that size, each image has a dropout mask of its own, as in "
        "the\n"
        "paper, and the metrics of pix2pix eval are printed.\n"
        "\n"
        "Images and folders that cannot be read are named and left out; the exit status is then 1.",
    .min_arguments = 1,
    .max_arguments = G_MAXINT,
    .run = run,
};
