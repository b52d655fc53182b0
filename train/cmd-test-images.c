/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Single images: each keeps its size. */
#include "cmd-test.h"
#include "image-list.h"
#include "progress.h"
#include "translate.h"

#include <glib/gstdio.h>
#include <string.h>

/** Images: what there is to do. */
typedef struct {
    Test *test;
    GPtrArray *files;    /* paths of the pictures */
    GPtrArray *problems; /* messages on the folders that hold none */
    Translator translator;
} Images;

static void images_clear(Images *images)
{
    g_clear_pointer(&images->files, g_ptr_array_unref);
    g_clear_pointer(&images->problems, g_ptr_array_unref);
    translator_clear(&images->translator);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Images, images_clear)

/* "folder/a.jpg" -> "a" */
static char *base_name(const char *file)
{
    char *name = g_path_get_basename(file);
    char *dot = strrchr(name, '.');

    if (dot && dot != name)
        *dot = 0;
    return name;
}

/* Adds the pictures in @folder. One that has none is told and counted, as broken pictures are. */
static void list_folder(Images *images, const char *folder)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *inside = picture_list(folder, &error);

    if (inside) {
        g_ptr_array_extend_and_steal(images->files, inside);
        return;
    }
    command_print_error("%s", error->message);
    g_ptr_array_add(images->problems, g_strdup(error->message));
}

/* Folders stand for the pictures in them. Returns: FALSE where that is nothing at all, which has been
 * told. */
static gboolean list_files(Images *images, char **arguments)
{
    images->files = g_ptr_array_new_with_free_func(g_free);
    images->problems = g_ptr_array_new_with_free_func(g_free);
    for (; *arguments; arguments++) {
        if (g_file_test(*arguments, G_FILE_TEST_IS_DIR))
            list_folder(images, *arguments);
        else
            g_ptr_array_add(images->files, g_strdup(*arguments));
    }
    return images->files->len > 0;
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

/* Whether every output has a name of its own. @inputs: (out): what must not be overwritten. */
static gboolean check_names(const Images *images, GHashTable *inputs, GError **error)
{
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < images->files->len; i++) {
        const char *file = images->files->pdata[i];
        g_autofree char *name = base_name(file);
        const char *other = g_hash_table_lookup(names, name);
        if (other) {
            g_set_error(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED,
                        "%s: would be written to %s.png, as %s would, rename one of them", file,
                        name, other);
            return FALSE;
        }
        g_hash_table_insert(names, g_steal_pointer(&name), (char *)file);
        char *identity = file_identity(file);
        if (identity)
            g_hash_table_add(inputs, identity);
    }
    return TRUE;
}

static gboolean check_outputs(const Images *images, GError **error)
{
    g_autoptr(GHashTable) inputs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    if (!check_names(images, inputs, error))
        return FALSE;
    for (guint i = 0; i < images->files->len; i++) {
        g_autofree char *name = base_name(images->files->pdata[i]);
        g_autofree char *png = g_strconcat(name, ".png", NULL);
        g_autofree char *file = g_build_filename(images->test->output, png, NULL);
        g_autofree char *identity = file_identity(file);
        if (identity && g_hash_table_contains(inputs, identity)) {
            g_set_error(error, PIX_ERROR, PIX_ERROR_IO,
                        "%s: is an input and will not be overwritten, choose another --output",
                        file);
            return FALSE;
        }
    }
    return TRUE;
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

/* Whether the CPU takes over after @error. */
static gboolean fall_back(Images *images, GError **error)
{
    Test *test = images->test;

    if (!command_fall_back(&test->model, test->model_name, &test->options, FALSE, error))
        return FALSE;
    translator_use(&images->translator, test->model);
    return TRUE;
}

/* A broken picture is told and counted; only a failure to write stops. */
static gboolean run_one(Images *images, const char *file, Progress *progress, GError **error)
{
    g_autoptr(GError) broken = NULL;
    g_autoptr(Picture) input = picture_read(file, &broken);
    g_autoptr(Picture) output = input ? translator_run(&images->translator, input, &broken) : NULL;
    g_autofree char *name = base_name(file);

    if (input && !output && fall_back(images, &broken))
        output = translator_run(&images->translator, input, &broken);
    images->test->network_ms = images->translator.network_ms;
    if (output)
        return test_add_output(images->test, name, input, output, NULL, error);
    name_error(broken, file);
    if (g_error_matches(broken, PIX_ERROR, PIX_ERROR_DEVICE_LOST)) {
        g_propagate_error(error, g_steal_pointer(&broken));
        return FALSE;
    }
    progress_clear(progress);
    test_add_broken(images->test, broken->message);
    return TRUE;
}

static int run_all(Images *images)
{
    GError *error = NULL;
    Progress progress;
    int total = images->files->len, seen = 0;

    for (guint i = 0; i < images->problems->len; i++) {
        html_page_add_problem(images->test->page, images->problems->pdata[i]);
        images->test->broken++;
    }
    progress_init(&progress, "images", total);
    for (; seen < total && !command_interrupted() && !error; seen++) {
        progress_update(&progress, seen);
        run_one(images, images->files->pdata[seen], &progress, &error);
    }
    progress_clear(&progress);
    return error ? command_fail(error) : test_finish(images->test, seen, total);
}

int test_images(Test *test, char **arguments)
{
    g_auto(Images) images = {.test = test};
    GError *error = NULL;

    if (!list_files(&images, arguments))
        return COMMAND_FAILED;
    if (!check_outputs(&images, &error) ||
        (!translator_init(&images.translator, test->model, &test->session, test->native, &error) &&
         !fall_back(&images, &error)) ||
        !test_make_folder(test, "", &error) || !test_open_page(test, NULL, &error))
        return command_fail(error);
    return run_all(&images);
}
