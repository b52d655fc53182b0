/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * pix2pix eval: how close a folder of pictures comes to a folder of targets.
 */
#include "command.h"
#include "image-file.h"
#include "image-list.h"
#include "metrics.h"
#include "progress.h"
#include "report-json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_NAMED 8   /* of the names that have no partner */
#define ENOUGH_SWD 30 /* pairs; of fewer, SWD of equal sets is as large as of different ones */

/* What the command line asks for, and the files by their names without the ending. */
typedef struct {
    gboolean json;
    gint64 seed;
    int threads;
    GPtrArray *names;     /* of both sides, in the order of the outputs */
    GPtrArray *lone[2];   /* of outputs and of targets that have no partner */
    GHashTable *files[2]; /* name -> path, of outputs and of targets */
    int width, height;    /* of the first pair */
} Eval;

static void eval_clear(Eval *eval)
{
    g_clear_pointer(&eval->names, g_ptr_array_unref);
    for (int side = 0; side < 2; side++) {
        g_clear_pointer(&eval->lone[side], g_ptr_array_unref);
        g_clear_pointer(&eval->files[side], g_hash_table_unref);
    }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Eval, eval_clear)

/* "folder/a.jpg" -> "a" */
static char *new_name(const char *file)
{
    char *name = g_path_get_basename(file);
    char *dot = strrchr(name, '.');

    if (dot && dot != name)
        *dot = 0;
    return name;
}

/* Returns: (transfer full): the names in @folder in order; @files: (out): where each is. */
static GPtrArray *list_names(const char *folder, GHashTable **files, GError **error)
{
    g_autoptr(GPtrArray) paths = picture_list(folder, error);

    if (!paths)
        return NULL;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    *files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; i < paths->len; i++) {
        const char *path = paths->pdata[i];
        char *name = new_name(path);
        const char *other = g_hash_table_lookup(*files, name);
        g_ptr_array_add(names, name);
        if (other) {
            g_set_error(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED,
                        "%s: differs from %s in nothing but its ending, remove one of them", path,
                        other);
            return NULL;
        }
        g_hash_table_insert(*files, g_strdup(name), g_strdup(path));
    }
    return g_steal_pointer(&names);
}

/* Finds what both folders have. */
static gboolean pair_up(Eval *eval, char **folders, GError **error)
{
    eval->names = g_ptr_array_new_with_free_func(g_free);
    for (int side = 0; side < 2; side++) {
        eval->lone[side] = list_names(folders[side], &eval->files[side], error);
        if (!eval->lone[side])
            return FALSE;
    }
    for (int side = 0; side < 2; side++) {
        for (guint i = 0; i < eval->lone[side]->len;) {
            if (!g_hash_table_contains(eval->files[!side], eval->lone[side]->pdata[i])) {
                i++;
                continue;
            }
            char *name = g_ptr_array_steal_index(eval->lone[side], i);
            if (side == 0)
                g_ptr_array_add(eval->names, name);
            else
                g_free(name);
        }
    }
    if (eval->names->len > 0)
        return TRUE;
    g_set_error(error, PIX_ERROR, PIX_ERROR_NOT_FOUND,
                "%s: has no name in common with %s, such as %s.png, rename the files", folders[0],
                folders[1], (char *)eval->lone[1]->pdata[0]);
    return FALSE;
}

/* Names and counts what is left out, which is no failure. */
static void tell_lone(const Eval *eval)
{
    static const char *const words[2][2] = {{"outputs", "target"}, {"targets", "output"}};

    for (int side = 0; side < 2; side++) {
        const GPtrArray *lone = eval->lone[side];
        g_autoptr(GString) list = g_string_new(NULL);
        for (guint i = 0; i < MIN(lone->len, MAX_NAMED); i++)
            g_string_append_printf(list, "%s%s", i ? ", " : "", (char *)lone->pdata[i]);
        if (lone->len > MAX_NAMED)
            g_string_append_printf(list, " and %u more", lone->len - MAX_NAMED);
        if (lone->len > 0)
            command_print_error("note: %u of %u %s have no %s and are left out: %s", lone->len,
                                lone->len + eval->names->len, words[side][0], words[side][1],
                                list->str);
    }
}

static gboolean add_pair(Eval *eval, Metrics *metrics, const char *name, GError **error)
{
    const char *file = g_hash_table_lookup(eval->files[0], name);
    g_autoptr(Picture) output = picture_read(file, error);
    g_autoptr(Picture) target =
        output ? picture_read(g_hash_table_lookup(eval->files[1], name), error) : NULL;

    if (!target)
        return FALSE;
    if (!eval->width) {
        eval->width = output->width;
        eval->height = output->height;
    }
    if (metrics_add(metrics, output, target, error))
        return TRUE;
    g_prefix_error(error, "%s: ", file);
    return FALSE;
}

/* Returns: a status. */
static int add_pairs(Eval *eval, Metrics *metrics)
{
    int total = eval->names->len, done = 0;
    GError *error = NULL;
    Progress progress;

    progress_init(&progress, "pairs", total);
    for (; done < total && !command_interrupted() && !error; done++) {
        progress_update(&progress, done);
        add_pair(eval, metrics, eval->names->pdata[done], &error);
    }
    progress_clear(&progress);
    if (error)
        return command_fail(error);
    if (done < total)
        command_print_error("interrupted after %d of %d pairs", done, total);
    return command_interrupted();
}

static gboolean is_noise(const MetricsResult *result)
{
    return result->n_levels > 0 && result->n < ENOUGH_SWD;
}

static void print_result(const Eval *eval, const MetricsResult *result)
{
    if (result->n_levels)
        printf("%d pairs of %d x %d pixels\n", result->n, eval->width, eval->height);
    else
        printf("%d pairs of several sizes\n", result->n);
    printf("  L1    %8.4f     mean difference on [-1, 1]; lower is better\n", result->l1);
    printf("  PSNR  %8.2f dB  higher is better\n", result->psnr);
    printf("  SSIM  %8.4f     at most 1; higher is better\n", result->ssim);
    if (!result->n_levels) {
        puts("  SWD          -     takes pictures of one size");
        return;
    }
    printf("  SWD   %8.2f     distance between the sets, x 1000; lower is better\n", result->swd);
    for (int i = 0, side = MIN(eval->width, eval->height); i < result->n_levels; i++) {
        printf("        %8.2f     at %d pixels%s\n", result->swd_levels[i], side,
               i == 0 ? ", the finest detail" : "");
        side = (side + 1) / 2;
    }
    if (is_noise(result))
        command_print_error("note: SWD of fewer than %d pairs is mostly noise", ENOUGH_SWD);
}

static void add_names(JsonBuilder *builder, const char *member, const GPtrArray *names)
{
    json_builder_set_member_name(builder, member);
    json_builder_begin_array(builder);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *valid = g_utf8_make_valid(names->pdata[i], -1);
        json_builder_add_string_value(builder, valid);
    }
    json_builder_end_array(builder);
}

/* All digits, unlike report_json_number(): differences between two runs are of interest. */
static void add_value(JsonBuilder *builder, double value)
{
    if (isfinite(value))
        json_builder_add_double_value(builder, value);
    else
        json_builder_add_null_value(builder);
}

static void print_json(const Eval *eval, const MetricsResult *result)
{
    const struct {
        const char *name;
        double value;
    } values[] = {
        {"L1", result->l1}, {"PSNR", result->psnr}, {"SSIM", result->ssim}, {"SWD", result->swd}};
    g_autoptr(JsonBuilder) builder = json_builder_new();

    json_builder_begin_object(builder);
    report_json_int(builder, "n", result->n);
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        json_builder_set_member_name(builder, values[i].name);
        add_value(builder, values[i].value);
    }
    json_builder_set_member_name(builder, "SWD_levels");
    json_builder_begin_array(builder);
    for (int i = 0; i < result->n_levels; i++)
        add_value(builder, result->swd_levels[i]);
    json_builder_end_array(builder);
    json_builder_set_member_name(builder, "SWD_is_noise");
    json_builder_add_boolean_value(builder, is_noise(result));
    report_json_int(builder, "seed", eval->seed);
    add_names(builder, "outputs_without_target", eval->lone[0]);
    add_names(builder, "targets_without_output", eval->lone[1]);
    json_builder_end_object(builder);
    report_json_print(builder);
}

static int run(const Command *command, int argc, char **argv)
{
    g_auto(Eval) eval = {.seed = 1};
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &eval.json, "Write JSON", NULL},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &eval.seed,
         "Of the places and directions that SWD draws (1)", "N"},
        {"threads", 0, 0, G_OPTION_ARG_INT, &eval.threads, "CPU threads to use (0: all)", "N"},
        {0},
    };
    CommandOptions options = {0};
    g_auto(GStrv) folders = NULL;
    GError *error = NULL;
    MetricsResult result;
    int status = command_parse(command, entries, 0, &options, argc, argv, &folders);

    if (status != COMMAND_CONTINUE)
        return status;
    if (eval.seed < 0 || eval.threads < 0 || eval.threads > 1024)
        return command_misused(command, "--seed is at least 0, --threads from 0 to 1024");
    if (!pair_up(&eval, folders, &error))
        return command_fail(error);
    tell_lone(&eval);
    g_autoptr(Metrics) metrics = metrics_new(eval.seed, eval.threads);
    status = add_pairs(&eval, metrics);
    if (status != COMMAND_DONE)
        return status;
    metrics_finish(metrics, &result);
    if (eval.json)
        print_json(&eval, &result);
    else
        print_result(&eval, &result);
    return command_interrupted();
}

const Command command_eval = {
    .name = "eval",
    .arguments = "OUTPUTS TARGETS",
    .summary = "Measures how close images come to their targets",
    .description =
        "OUTPUTS and TARGETS are folders; the images of a pair have the same name, whatever its\n"
        "ending, and the same size. Of a folder that pix2pix test --data made: DIR DIR/targets.\n"
        "\n"
        "  L1    mean absolute difference, where black is -1 and white 1\n"
        "  PSNR  peak signal-to-noise ratio of 8-bit values\n"
        "  SSIM  structural similarity (Wang et al. 2004)\n"
        "  SWD   sliced Wasserstein distance between the two sets (Karras et al. 2018): sees "
        "blur,\n"
        "        grids and missing texture, which the others hardly do; for images of one size,\n"
        "        at least some 30 of them",
    .min_arguments = 2,
    .max_arguments = 2,
    .run = run,
};
