/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * pix2pix info: what a checkpoint is and what is in it.
 */
#include "command.h"
#include "report-json.h"

#include <stdio.h>
#include <string.h>

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(a, b);
}

static char *format_shape(const PixTensorInfo *tensor)
{
    GString *text = g_string_new("(");

    for (int i = 0; i < tensor->rank; i++)
        g_string_append_printf(text, "%s%" G_GINT64_FORMAT, i ? ", " : "", tensor->dims[i]);
    g_string_append_c(text, ')');
    return g_string_free(text, FALSE);
}

static void print_model(const char *name, const PixModelInfo *info)
{
    static const char *const statistics[] = {
        [PIX_STATISTICS_AUTO] = "of the frame",
        [PIX_STATISTICS_FRAME] = "of the frame",
        [PIX_STATISTICS_RUNNING] = "those in the file",
    };
    g_autofree char *shown = command_show(name);

    printf("%s\n", shown);
    printf("  architecture  %s, %s\n", info->architecture,
           info->is_generator ? "a generator" : "a discriminator");
    printf("  layout        %s, in %s\n", info->layout, info->container);
    printf("  channels      %d in, %d out\n", info->in_channels, info->out_channels);
    printf("  size          made for %dx%d; sides are multiples of %d, at least %d\n", info->width,
           info->height, info->multiple, info->minimum);
    printf("  norm          %s", info->norm);
    if (!strcmp(info->norm, "batch"))
        printf(", statistics %s by default%s", statistics[info->statistics],
               info->has_running_statistics ? "" : ", none in the file");
    printf("\n  dropout       %s\n", info->has_dropout ? "yes" : "no");
    printf("  parameters    %.2f M, %.1f MB in memory\n", info->parameters / 1e6,
           info->weight_bytes / 1e6);
    if (info->mix)
        printf("  precision     auto on the CPU: %s\n"
               "                %.2f dB from fp32, the worst of %u pictures\n",
               info->mix, info->mix_psnr, info->mix_pictures);
}

static void print_contents(PixCheckpoint *checkpoint, guint64 bad)
{
    GHashTable *metadata = pix_checkpoint_get_metadata(checkpoint);
    g_autoptr(GList) keys = metadata ? g_hash_table_get_keys(metadata) : NULL;
    guint n = pix_checkpoint_get_n_tensors(checkpoint);

    if (bad)
        printf("  bad values    %" G_GUINT64_FORMAT " are NaN or infinite: this model is refused\n",
               bad);
    else
        printf("  bad values    none: every number is finite\n");
    for (const char *const *note = pix_checkpoint_get_notes(checkpoint); note && *note; note++) {
        g_autofree char *line = command_show(*note);
        printf("  note          %s\n", line);
    }

    keys = g_list_sort(keys, compare_names);
    if (keys)
        puts("\nmetadata");
    for (GList *key = keys; key; key = key->next) {
        g_autofree char *name = command_show(key->data);
        g_autofree char *value = command_show(g_hash_table_lookup(metadata, key->data));
        printf("  %s: %s\n", name, value);
    }

    int width = 0;
    for (guint i = 0; i < n; i++)
        width = MAX(width, (int)strlen(pix_checkpoint_get_tensor(checkpoint, i)->name));
    printf("\n%u tensors\n", n);
    for (guint i = 0; i < n; i++) {
        const PixTensorInfo *tensor = pix_checkpoint_get_tensor(checkpoint, i);
        g_autofree char *shape = format_shape(tensor);
        g_autofree char *source = command_show(tensor->source);
        printf("  %-*s  %-4s  %s%s%s\n", width, tensor->name, tensor->dtype, shape,
               strcmp(tensor->name, tensor->source) ? "  from " : "",
               strcmp(tensor->name, tensor->source) ? source : "");
    }
}

static void add_contents(JsonBuilder *builder, PixCheckpoint *checkpoint, guint64 bad)
{
    GHashTable *metadata = pix_checkpoint_get_metadata(checkpoint);
    g_autoptr(GList) keys = metadata ? g_hash_table_get_keys(metadata) : NULL;
    guint n = pix_checkpoint_get_n_tensors(checkpoint);

    report_json_int(builder, "bad_values", bad);
    json_builder_set_member_name(builder, "notes");
    json_builder_begin_array(builder);
    for (const char *const *note = pix_checkpoint_get_notes(checkpoint); note && *note; note++) {
        g_autofree char *line = command_show(*note);
        json_builder_add_string_value(builder, line);
    }
    json_builder_end_array(builder);

    keys = g_list_sort(keys, compare_names);
    json_builder_set_member_name(builder, "metadata");
    json_builder_begin_object(builder);
    for (GList *key = keys; key; key = key->next) {
        g_autofree char *name = g_utf8_make_valid(key->data, -1);
        report_json_string(builder, name, g_hash_table_lookup(metadata, key->data));
    }
    json_builder_end_object(builder);

    json_builder_set_member_name(builder, "tensors");
    json_builder_begin_array(builder);
    for (guint i = 0; i < n; i++) {
        const PixTensorInfo *tensor = pix_checkpoint_get_tensor(checkpoint, i);
        json_builder_begin_object(builder);
        report_json_string(builder, "name", tensor->name);
        report_json_string(builder, "source", tensor->source);
        report_json_string(builder, "dtype", tensor->dtype);
        json_builder_set_member_name(builder, "shape");
        json_builder_begin_array(builder);
        for (int d = 0; d < tensor->rank; d++)
            json_builder_add_int_value(builder, tensor->dims[d]);
        json_builder_end_array(builder);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static int run(const Command *command, int argc, char **argv)
{
    gboolean json = FALSE;
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Write JSON", NULL},
        {0},
    };
    g_auto(CommandOptions) options = {0};
    g_auto(GStrv) files = NULL;
    g_autoptr(PixCheckpoint) checkpoint = NULL;
    g_autoptr(PixModel) model = NULL;
    const PixModelInfo *info;
    guint64 bad = 0;
    GError *error = NULL;
    int status =
        command_parse(command, entries, COMMAND_OPTION_DOMAIN, &options, argc, argv, &files);

    if (status != COMMAND_CONTINUE)
        return status;
    g_autofree char *path = pix_model_find(files[0], &error);
    if (!path)
        return command_fail(error);
    if (*path) {
        checkpoint = pix_checkpoint_open(path, options.domain, &error);
        if (!checkpoint || !pix_checkpoint_count_bad_values(checkpoint, &bad, &error))
            return command_fail(error);
        info = pix_checkpoint_get_info(checkpoint);
    } else { /* inside the library: there is no file to list */
        model = command_load_model(files[0], &options, FALSE, &error);
        if (!model)
            return command_fail(error);
        info = pix_model_get_info(model);
    }

    if (!json) {
        print_model(files[0], info);
        if (checkpoint)
            print_contents(checkpoint, bad);
        return command_interrupted();
    }
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    report_json_string(builder, "file", *path ? path : files[0]);
    report_json_model(builder, info);
    if (checkpoint)
        add_contents(builder, checkpoint, bad);
    json_builder_end_object(builder);
    report_json_print(builder);
    return command_interrupted();
}

const Command command_info = {
    .name = "info",
    .arguments = "FILE",
    .summary = "Shows what a checkpoint is and what is in it",
    .description = "FILE is a checkpoint, or the name of a model. Nothing in it is executed.",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
