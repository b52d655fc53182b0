/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * pix2pix test: pictures in, translated pictures and a page to look at them out.
 */
#include "cmd-test.h"

#include "model-folder.h"
#include "strangers.h"

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
    g_free(test->count);
    g_free(test->input_dir);
    g_free(test->checkpoint);
    g_free(test->name);
    g_free(test->suffix);
    g_free(test->checkpoints_dir);
    g_free(test->model_name);
    command_options_clear(&test->options);
    settings_clear(&test->settings);
    g_clear_pointer(&test->model, pix_model_unref);
    html_page_discard(test->page);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Test, test_clear)

/* ---- what the command line means ---- */

/* The model, and the run's settings where it is the folder of one. */
static gboolean open_model(Test *test, const char *name, GError **error)
{
    g_autofree char *config = g_build_filename(name, "config.json", NULL);

    test->has_settings = model_folder_is_run(name);
    if (test->has_settings && !settings_read(&test->settings, config, error))
        return FALSE;
    test->model_name = model_folder_find(name, test->epoch);
    if (!test->model_name && test->epoch) {
        g_set_error(
            error, PIX_ERROR, PIX_ERROR_NOT_FOUND,
            "%s: is no folder of a run, nor one with a generator %s, which --epoch asks for", name,
            test->epoch);
        return FALSE;
    }
    if (!test->model_name)
        test->model_name = g_strdup(name);
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
                       : test->eval || test->no_dropout      ? PIX_DROPOUT_OFF
                       : pairs                               ? PIX_DROPOUT_FRESH
                                                             : PIX_DROPOUT_FROZEN;
    session->seed = options->seed;
}

/* Other programs have words for 0. */
static gboolean read_count(Test *test, GError **error)
{
    const char *count = test->count ? test->count : "all";

    if (!strcmp(count, "all") || !strcmp(count, "inf") ||
        g_ascii_string_to_unsigned(count, 10, 0, G_MAXINT, &test->num_test, NULL))
        return TRUE;
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "--num-test takes a number from 0 to %d, or all, not '%s'", G_MAXINT, count);
    return FALSE;
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
    if ((test->split || test->direction || test->count) && arguments[1])
        return command_misused(command, "--split, --direction and --num-test belong to --data");
    if (!read_count(test, &error))
        return command_misused(command, "%s", error->message);
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
    int status = check_usage(command, test, arguments);

    if (status != COMMAND_CONTINUE)
        return status;
    if (!test->data && !arguments[1] && !model_folder_is_run(arguments[0]))
        return command_misused(command, "takes either IMAGES or --data");
    if (!open_model(test, arguments[0], &error))
        return command_fail(error);
    choose_session(test, !arguments[1]);
    return arguments[1] ? test_images(test, arguments + 1) : test_pairs(test);
}

/* ---- the command line ---- */

/* affinelayer's --input_dir is the folder itself. */
static void divide_input(Test *test)
{
    g_autofree char *path = test->input_dir ? g_canonicalize_filename(test->input_dir, NULL) : NULL;

    if (!path || test->data || test->split)
        return;
    test->data = g_path_get_dirname(path);
    test->split = g_path_get_basename(path);
}

/* Puts the model that an option of another program names before the @arguments. */
static gboolean take_model(Test *test, char ***arguments, GError **error)
{
    g_autofree char *path = NULL;

    if (!model_folder_name(test->checkpoints_dir, test->name, test->suffix, &path, error))
        return FALSE;
    const char *model = test->checkpoint ? test->checkpoint : path;
    if (model) {
        char **old = *arguments;
        g_autoptr(GStrvBuilder) all = g_strv_builder_new();
        g_strv_builder_add(all, model);
        g_strv_builder_addv(all, (const char **)old);
        *arguments = g_strv_builder_end(all);
        g_strfreev(old);
    }
    return TRUE;
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
        {"num-test", 0, 0, text, &test.count, "Take the first N pairs (0: all)", "N"},
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
        {"how-many", 0, hidden, text, &test.count, NULL, ""},
        {"which-epoch", 0, hidden, text, &test.epoch, NULL, ""},
        {"test-epoch", 0, hidden, text, &test.epoch, NULL, ""},
        {"results-dir", 0, hidden, text, &test.output, NULL, ""},
        {"output-dir", 0, hidden, text, &test.output, NULL, ""},
        {"sample-path", 0, hidden, text, &test.output, NULL, ""},
        {"max-dataset-size", 0, hidden, text, &test.count, NULL, ""},
        {"dataset-name", 0, hidden, text, &test.data, NULL, ""},
        {"input-dir", 0, hidden, text, &test.input_dir, NULL, ""},
        {"no-dropout", 0, hidden, G_OPTION_ARG_NONE, &test.no_dropout, NULL, NULL},
        {"checkpoint", 0, hidden, text, &test.checkpoint, NULL, ""},
        {"saved-path", 0, hidden, text, &test.checkpoint, NULL, ""},
        {"checkpoints-dir", 0, hidden, text, &test.checkpoints_dir, NULL, ""},
        {"name", 0, hidden, text, &test.name, NULL, ""},
        {"suffix", 0, hidden, text, &test.suffix, NULL, ""},
        {0},
    };
    CommandOptionFlags flags = COMMAND_OPTION_DOMAIN | COMMAND_OPTION_SIZE |
                               COMMAND_OPTION_STATISTICS | COMMAND_OPTION_DROPOUT |
                               COMMAND_OPTION_PRECISION | COMMAND_OPTION_DEVICE;
    GOptionGroup **groups = g_new0(GOptionGroup *, 2);
    g_auto(GStrv) arguments = NULL;
    g_autoptr(GError) error = NULL;

    groups[0] = strangers_group(strangers_test);
    settings_init(&test.settings);
    settings_spell(argc, argv);
    int status = command_parse_groups(command, groups, entries, flags, &test.options, argc, argv,
                                      &arguments);
    if (status != COMMAND_CONTINUE)
        return status;
    divide_input(&test);
    if (!take_model(&test, &arguments, &error))
        return command_misused(command, "%s", error->message);
    if (!arguments[0])
        return command_misused(command, "takes %s", command->arguments);
    return run_test(command, &test, arguments);
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
        "Images and folders that cannot be read are named and left out; the exit status is then "
        "1.\n"
        "Options of other pix2pix implementations are understood, --name N for checkpoints/N as "
        "well.",
    .min_arguments = 0, /* where an option names the model */
    .max_arguments = G_MAXINT,
    .run = run,
};
