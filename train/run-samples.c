/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "run-samples.h"

#include "html-parts.h"
#include "image-file.h"
#include "image-list.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define MAX_NAMES 16
#define PICTURE_SIDE 512 /* pixels; larger ones are scaled down */
#define INPUT "-input.png"

static void snapshot_free(RunSnapshot *snapshot)
{
    if (!snapshot)
        return;
    g_free(snapshot->folder);
    g_free(snapshot);
}

void run_samples_free(RunSamples *samples)
{
    if (!samples)
        return;
    g_free(samples->fixed);
    g_ptr_array_unref(samples->names);
    g_ptr_array_unref(samples->snapshots);
    g_free(samples);
}

/* ---- what is there ---- */

static gint compare_steps(gconstpointer left, gconstpointer right)
{
    const RunSnapshot *a = *(RunSnapshot *const *)left, *b = *(RunSnapshot *const *)right;

    return (a->step > b->step) - (a->step < b->step);
}

/* Folders that are called as a step is. */
static void list_snapshots(RunSamples *samples, const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        guint64 step;
        if (strlen(name) < 8 || !g_ascii_string_to_unsigned(name, 10, 0, G_MAXINT64, &step, NULL))
            continue;
        RunSnapshot *snapshot = g_new0(RunSnapshot, 1);
        snapshot->step = step;
        snapshot->folder = g_build_filename(folder, name, NULL);
        g_ptr_array_add(samples->snapshots, snapshot);
    }
    g_ptr_array_sort(samples->snapshots, compare_steps);
}

/* The epochs that the log knows of. */
static void find_epochs(RunSamples *samples, const GPtrArray *records)
{
    g_autoptr(GHashTable) epochs = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);

    for (guint i = 0; i < records->len; i++) {
        gint64 step = json_object_get_int_member(records->pdata[i], "step");
        gint64 epoch = json_object_get_int_member(records->pdata[i], "epoch");
        g_hash_table_insert(epochs, g_memdup2(&step, sizeof(step)), GINT_TO_POINTER((int)epoch));
    }
    for (guint i = 0; i < samples->snapshots->len; i++) {
        RunSnapshot *snapshot = samples->snapshots->pdata[i];
        snapshot->epoch = GPOINTER_TO_INT(g_hash_table_lookup(epochs, &snapshot->step));
    }
}

static void list_names(RunSamples *samples)
{
    g_autoptr(GPtrArray) files = picture_list(samples->fixed, NULL);

    for (guint i = 0; files && i < files->len && samples->names->len < MAX_NAMES; i++) {
        char *name = g_path_get_basename(files->pdata[i]);
        if (g_str_has_suffix(name, INPUT)) {
            name[strlen(name) - strlen(INPUT)] = 0;
            g_ptr_array_add(samples->names, name);
        } else {
            g_free(name);
        }
    }
}

RunSamples *run_samples_new(const char *folder, const GPtrArray *records)
{
    RunSamples *samples = g_new(RunSamples, 1);

    samples->fixed = g_build_filename(folder, "fixed", NULL);
    samples->names = g_ptr_array_new_with_free_func(g_free);
    samples->snapshots = g_ptr_array_new_with_free_func((GDestroyNotify)snapshot_free);
    list_names(samples);
    list_snapshots(samples, folder);
    find_epochs(samples, records);
    return samples;
}

void run_samples_thin(RunSamples *samples, guint most)
{
    guint n = samples->snapshots->len;

    most = MAX(most, 2);
    if (n <= most)
        return;
    g_autoptr(GPtrArray) all = g_steal_pointer(&samples->snapshots);
    samples->snapshots = g_ptr_array_new_with_free_func((GDestroyNotify)snapshot_free);
    for (guint i = 0; i < most; i++) {
        guint from = ((guint64)i * (n - 1) + (most - 1) / 2) / (most - 1);
        g_ptr_array_add(samples->snapshots, g_steal_pointer(&all->pdata[from]));
    }
}

/* ---- the sheet ---- */

/* Returns: (nullable): FOLDER/NAME and ENDING, if it can be read. */
static Picture *read_sample(const char *folder, const char *name, const char *ending)
{
    g_autofree char *file = g_strconcat(folder, G_DIR_SEPARATOR_S, name, ending, NULL);

    return picture_read(file, NULL);
}

/* Returns: what it took. */
static gsize write_figure(const Picture *picture, const char *name, const char *caption,
                          FILE *stream)
{
    g_autofree char *alt = g_strdup_printf("%s of %s", caption, name);
    gsize bytes = 0;

    fprintf(stream, "<figure class=\"%s\">", caption);
    if (picture)
        bytes = html_write_picture(stream, picture, PICTURE_SIDE, alt, NULL);
    if (!bytes)
        fputs("<img class=\"none\" alt=\"\">", stream);
    fprintf(stream, "<figcaption>%s</figcaption></figure>\n", caption);
    return bytes;
}

gsize run_samples_write_sheet(const RunSamples *samples, FILE *stream, gsize *newest_bytes)
{
    const RunSnapshot *newest = g_ptr_array_index(samples->snapshots, samples->snapshots->len - 1);
    gsize bytes = 0;

    *newest_bytes = 0;
    fputs("<ol>\n", stream);
    for (guint i = 0; i < samples->names->len; i++) {
        const char *name = samples->names->pdata[i];
        g_autofree char *safe = g_markup_escape_text(name, -1);
        g_autoptr(Picture) input = read_sample(samples->fixed, name, INPUT);
        g_autoptr(Picture) output = read_sample(newest->folder, name, ".png");
        g_autoptr(Picture) target = read_sample(samples->fixed, name, "-target.png");
        fprintf(stream,
                "<li class=\"row\" tabindex=\"0\"><div class=\"name\">%s</div>"
                "<div class=\"pictures\">\n",
                safe);
        bytes += write_figure(input, name, "input", stream);
        gsize output_bytes = write_figure(output, name, "output", stream);
        if (target)
            bytes += write_figure(target, name, "target", stream);
        fputs("</div></li>\n", stream);
        bytes += output_bytes;
        *newest_bytes += output_bytes;
    }
    fputs("</ol>\n", stream);
    return bytes;
}

/* ---- the other snapshots ---- */

static void write_pictures(const RunSamples *samples, const RunSnapshot *snapshot, FILE *stream)
{
    fputc('[', stream);
    for (guint i = 0; i < samples->names->len; i++) {
        g_autoptr(Picture) picture =
            read_sample(snapshot->folder, samples->names->pdata[i], ".png");
        g_autofree char *uri =
            picture ? html_encode_picture(picture, PICTURE_SIDE, NULL, NULL, NULL) : NULL;
        fputs(i ? ",\n" : "", stream);
        if (uri)
            fprintf(stream, "\"%s\"", uri);
        else
            fputs("null", stream);
    }
    fputs("]", stream);
}

void run_samples_write(const RunSamples *samples, FILE *stream)
{
    const GPtrArray *snapshots = samples->snapshots;

    fputs("{\"steps\":[", stream);
    for (guint i = 0; i < snapshots->len; i++)
        fprintf(stream, "%s%" G_GINT64_FORMAT, i ? "," : "",
                ((RunSnapshot *)snapshots->pdata[i])->step);
    fputs("],\"epochs\":[", stream);
    for (guint i = 0; i < snapshots->len; i++)
        fprintf(stream, "%s%" G_GINT64_FORMAT, i ? "," : "",
                ((RunSnapshot *)snapshots->pdata[i])->epoch);
    fputs("],\"pictures\":[", stream);
    for (guint i = 0; i + 1 < snapshots->len; i++) {
        fputs(i ? ",\n" : "", stream);
        write_pictures(samples, snapshots->pdata[i], stream);
    }
    fputs("]}", stream);
}
