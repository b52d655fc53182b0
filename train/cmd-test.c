/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * pix2pix test: pictures in, translated pictures and a page to look at them out.
 */
#include "command.h"
#include "html-page.h"
#include "image-list.h"
#include "progress.h"
#include "translate.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

/* What the command line asks for, and where the work is. */
typedef struct {
    char *output, *data, *split, *direction, *fit;
    gboolean input_right; /* of side-by-side pictures: BtoA */
    GPtrArray *files;     /* paths of the pictures */
    GPtrArray *problems;  /* messages on the folders that hold none */
    Translator translator;
    HtmlPage *page;
    int done, broken;
} Test;

static void test_clear(Test *test)
{
    g_free(test->output);
    g_free(test->data);
    g_free(test->split);
    g_free(test->direction);
    g_free(test->fit);
    g_clear_pointer(&test->files, g_ptr_array_unref);
    g_clear_pointer(&test->problems, g_ptr_array_unref);
    translator_clear(&test->translator);
    html_page_discard(test->page);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Test, test_clear)

/* "folder/a.jpg" -> "a" */
static char *base_name(const char *file)
{
    char *name = g_path_get_basename(file);
    char *dot = strrchr(name, '.');

    if (dot && dot != name)
        *dot = 0;
    return name;
}

static char *output_name(const Test *test, const char *file, const char *folder)
{
    g_autofree char *name = base_name(file);
    g_autofree char *png = g_strconcat(name, ".png", NULL);

    return g_build_filename(test->output, folder, png, NULL);
}

/* Adds the pictures in @folder. One that has none is told and counted, as broken pictures are. */
static void list_folder(Test *test, const char *folder)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *inside = picture_list(folder, &error);

    if (inside) {
        g_ptr_array_extend_and_steal(test->files, inside);
        return;
    }
    command_print_error("%s", error->message);
    g_ptr_array_add(test->problems, g_strdup(error->message));
}

/* Fills test->files from the arguments, whose folders stand for the pictures in them, or --data.
 * Returns: FALSE where that is nothing at all, which has been told. */
static gboolean list_files(Test *test, char **arguments)
{
    test->files = g_ptr_array_new_with_free_func(g_free);
    test->problems = g_ptr_array_new_with_free_func(g_free);
    if (test->data) {
        g_autofree char *folder = g_build_filename(test->data, test->split, NULL);
        list_folder(test, folder);
    }
    for (; !test->data && *arguments; arguments++) {
        if (g_file_test(*arguments, G_FILE_TEST_IS_DIR))
            list_folder(test, *arguments);
        else
            g_ptr_array_add(test->files, g_strdup(*arguments));
    }
    return test->files->len > 0;
}

/* Returns: what @file is, whatever its name: device and inode; NULL where it is not there. */
static char *file_identity(const char *file)
{
    GStatBuf status;

    if (g_stat(file, &status))
        return NULL;
    return g_strdup_printf("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, (guint64)status.st_dev,
                           (guint64)status.st_ino);
}

/* Whether every output has a name of its own and no input would be lost. */
static gboolean check_outputs(Test *test, GError **error)
{
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) inputs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const char *const folders[] = {"", "targets"};

    for (guint i = 0; i < test->files->len; i++) {
        const char *file = test->files->pdata[i];
        char *name = base_name(file);
        const char *other = g_hash_table_lookup(names, name);
        if (other) {
            g_set_error(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED,
                        "%s: would be written to %s.png, as %s would, rename one of them", file,
                        name, other);
            g_free(name);
            return FALSE;
        }
        g_hash_table_insert(names, name, (char *)file);
        char *identity = file_identity(file);
        if (identity)
            g_hash_table_add(inputs, identity);
    }
    for (guint i = 0; i < test->files->len; i++) {
        for (int folder = 0; folder < (test->data ? 2 : 1); folder++) {
            g_autofree char *name = output_name(test, test->files->pdata[i], folders[folder]);
            g_autofree char *identity = file_identity(name);
            if (identity && g_hash_table_contains(inputs, identity)) {
                g_set_error(error, PIX_ERROR, PIX_ERROR_IO,
                            "%s: is an input and will not be overwritten, choose another --output",
                            name);
                return FALSE;
            }
        }
    }
    return TRUE;
}

static gboolean make_folder(const Test *test, const char *name, GError **error)
{
    g_autofree char *folder = g_build_filename(test->output, name, NULL);

    if (!g_mkdir_with_parents(folder, 0777))
        return TRUE;
    g_set_error(error, PIX_ERROR, PIX_ERROR_IO,
                "%s: cannot be made a folder (%s), choose another --output", folder,
                g_strerror(errno));
    return FALSE;
}

static gboolean open_page(Test *test, const char *model_name, GError **error)
{
    const PixModelInfo *info = pix_model_get_info(test->translator.model);
    const PixSessionOptions *options = &test->translator.options;
    g_autofree char *file = g_build_filename(test->output, "index.html", NULL);
    g_autofree char *name = g_path_get_basename(model_name);
    g_autofree char *shown = command_show(name);
    g_autofree char *size = test->translator.native
                                ? g_strdup("of each picture")
                                : g_strdup_printf("%d \u00d7 %d", options->width, options->height);

    test->page = html_page_open(file, shown, error);
    if (!test->page)
        return FALSE;
    html_page_add_fact(test->page, "network", info->architecture);
    html_page_add_fact(test->page, "size", size);
    if (!strcmp(info->norm, "batch"))
        html_page_add_fact(test->page, "statistics", command_statistics[options->statistics]);
    if (info->has_dropout)
        html_page_add_fact(test->page, "dropout", command_dropout[options->dropout]);
    if (test->data)
        html_page_add_fact(test->page, "direction", test->input_right ? "BtoA" : "AtoB");
    for (guint i = 0; i < test->problems->len; i++)
        html_page_add_problem(test->page, test->problems->pdata[i]);
    return TRUE;
}

/* Reads what belongs to @file. @target: (out): NULL without --data. */
static Picture *read_input(const Test *test, const char *file, Picture **target, GError **error)
{
    Picture *whole = picture_read(file, error);

    *target = NULL;
    if (!whole || !test->data)
        return whole;
    int half = whole->width / 2;
    Picture *input = NULL;
    if (whole->width % 2) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_SHAPE,
                    "%s: is %d pixels wide, and a pair side by side has an even width, replace it",
                    file, whole->width);
    } else {
        input = picture_crop(whole, test->input_right ? half : 0, 0, half, whole->height);
        *target = picture_crop(whole, test->input_right ? 0 : half, 0, half, whole->height);
    }
    picture_free(whole);
    return input;
}

/* Names @file in @error, where it does not yet. */
static void name_error(GError *error, const char *file)
{
    if (!g_str_has_prefix(error->message, file)) {
        char *message = g_strdup_printf("%s: %s", file, error->message);
        g_free(error->message);
        error->message = message;
    }
}

/* A broken picture is told and counted; only a failure to write stops. */
static gboolean run_one(Test *test, const char *file, Progress *progress, GError **error)
{
    g_autoptr(GError) broken = NULL;
    g_autoptr(Picture) target = NULL;
    g_autoptr(Picture) input = read_input(test, file, &target, &broken);
    g_autoptr(Picture) output = input ? translator_run(&test->translator, input, &broken) : NULL;

    if (!output) {
        name_error(broken, file);
        if (g_error_matches(broken, PIX_ERROR, PIX_ERROR_DEVICE_LOST)) {
            g_propagate_error(error, g_steal_pointer(&broken));
            return FALSE;
        }
        progress_clear(progress);
        command_print_error("%s", broken->message);
        html_page_add_problem(test->page, broken->message);
        test->broken++;
        return TRUE;
    }

    g_autofree char *name = output_name(test, file, "");
    if (!picture_write_png(output, name, error))
        return FALSE;
    if (target) {
        g_autofree char *target_name = output_name(test, file, "targets");
        if (!picture_write_png(target, target_name, error))
            return FALSE;
    }
    g_autofree char *title = base_name(file);
    g_autofree char *shown = command_show(title);
    const HtmlPicture row[] = {{"input", input}, {"output", output}, {"target", target}};
    test->done++;
    return html_page_add_row(test->page, shown, row, target ? 3 : 2, error);
}

static int run_all(Test *test)
{
    GError *error = NULL;
    Progress progress;
    int total = test->files->len, seen = 0;

    progress_init(&progress, "images", total);
    for (; seen < total && !command_interrupted(); seen++) {
        progress_update(&progress, seen);
        if (!run_one(test, test->files->pdata[seen], &progress, &error)) {
            progress_clear(&progress);
            return command_fail(error);
        }
    }
    progress_clear(&progress);
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
               test->translator.network_ms / test->done, shown);
    }
    if (command_interrupted())
        return command_interrupted();
    int broken = test->broken + test->problems->len;
    if (broken)
        command_print_error("%d of %d inputs could not be translated, see above", broken,
                            total + test->problems->len);
    return broken ? COMMAND_FAILED : COMMAND_DONE;
}

/* Returns: an index into AtoB, BtoA; or -1 with an error. */
static int check_usage(const Command *command, Test *test, char **arguments)
{
    g_autoptr(GError) error = NULL;

    if (!test->output || !*test->output)
        return command_misused(command, "--output DIR is %s", test->output ? "empty" : "missing");
    if (test->data ? arguments[1] != NULL : !arguments[1])
        return command_misused(command, "takes either IMAGES or --data");
    if ((test->split || test->direction) && !test->data)
        return command_misused(command, "--split and --direction belong to --data");
    if (!test->split)
        test->split = g_strdup("val");
    int right = command_choose("--direction", test->direction ? test->direction : "AtoB",
                               (const char *const[]){"AtoB", "BtoA", NULL}, &error);
    int native = right < 0
                     ? -1
                     : command_choose("--fit", test->fit ? test->fit : "stretch",
                                      (const char *const[]){"stretch", "native", NULL}, &error);
    if (native < 0)
        return command_misused(command, "%s", error->message);
    test->input_right = right;
    test->translator.native = native;
    return COMMAND_CONTINUE;
}

static int run(const Command *command, int argc, char **argv)
{
    g_auto(Test) test = {0};
    const GOptionEntry entries[] = {
        {"output", 0, 0, G_OPTION_ARG_FILENAME, &test.output,
         "Folder for the PNG images and index.html", "DIR"},
        {"data", 0, 0, G_OPTION_ARG_FILENAME, &test.data,
         "Take the side-by-side pairs A|B in DATASET/SPLIT instead of IMAGES", "DATASET"},
        {"split", 0, 0, G_OPTION_ARG_FILENAME, &test.split, "Which folder of DATASET (val)",
         "NAME"},
        {"direction", 0, 0, G_OPTION_ARG_FILENAME, &test.direction,
         "Which half of a pair is the input: AtoB the left, BtoA the right (AtoB)", "AtoB|BtoA"},
        {"fit", 0, 0, G_OPTION_ARG_FILENAME, &test.fit,
         "How an image meets the network's size (stretch)", "stretch|native"},
        {0},
    };
    CommandOptionFlags flags = COMMAND_OPTION_DOMAIN | COMMAND_OPTION_SIZE |
                               COMMAND_OPTION_STATISTICS | COMMAND_OPTION_DROPOUT |
                               COMMAND_OPTION_PRECISION | COMMAND_OPTION_DEVICE;
    g_auto(CommandOptions) options = {.dropout = PIX_DROPOUT_FROZEN};
    g_auto(GStrv) arguments = NULL;
    GError *error = NULL;
    int status = command_parse(command, entries, flags, &options, argc, argv, &arguments);

    if (status == COMMAND_CONTINUE)
        status = check_usage(command, &test, arguments);
    if (status != COMMAND_CONTINUE)
        return status;
    if (!list_files(&test, arguments + 1))
        return COMMAND_FAILED;
    if (!check_outputs(&test, &error))
        return command_fail(error);

    g_autoptr(PixModel) model = command_load_model(arguments[0], &options, FALSE, &error);
    if (!model)
        return command_fail(error);
    PixSessionOptions session_options;
    pix_session_options_init(&session_options, model);
    if (options.width) {
        session_options.width = options.width;
        session_options.height = options.height;
    }
    session_options.statistics = options.statistics;
    if (options.statistics == PIX_STATISTICS_AUTO)
        session_options.statistics = pix_model_get_info(model)->statistics;
    session_options.dropout = options.dropout;
    session_options.seed = options.seed;
    if (!translator_init(&test.translator, model, &session_options, test.translator.native,
                         &error) ||
        !make_folder(&test, test.data ? "targets" : "", &error) ||
        !open_page(&test, arguments[0], &error))
        return command_fail(error);
    return run_all(&test);
}

const Command command_test = {
    .name = "test",
    .arguments = "MODEL IMAGES... --output DIR",
    .summary = "Translates images and makes a page to look at them",
    .description =
        "MODEL is a checkpoint, or the name of a model. An image among IMAGES may be a folder.\n"
        "Each image is written to DIR under its own name, as PNG of its own size; with --data the\n"
        "targets go to DIR/targets.\n"
        "\n"
        "  --fit stretch  scales an image to the network's size and back (bilinear)\n"
        "  --fit native   takes its own size, continued at the right and bottom border up to the\n"
        "                 next size that the network can take\n"
        "\n"
        "Images and folders that cannot be read are named and left out; the exit status is then 1.",
    .min_arguments = 1,
    .max_arguments = G_MAXINT,
    .run = run,
};
