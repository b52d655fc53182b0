/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "run-log.h"

#include "output-file.h"

#include <errno.h>
#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <pix2pix/pix.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct RunLog {
    char *file;
    int fd;
    gboolean torn; /* the last line was cut short */
    gboolean told; /* that it cannot be written */
};

/* ---- reading ---- */

static gboolean holds(JsonObject *record, const char *name, GType type)
{
    JsonNode *node = json_object_get_member(record, name);

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type;
}

/* Returns: (transfer full) (nullable): the record in a line, if it is one. */
static JsonObject *parse_record(const char *line, gsize bytes)
{
    g_autoptr(JsonParser) parser = json_parser_new();

    if (bytes == 0 || !json_parser_load_from_data(parser, line, bytes, NULL))
        return NULL;
    JsonNode *root = json_parser_get_root(parser);
    JsonObject *record = root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
    if (!record || !holds(record, "type", G_TYPE_STRING) || !holds(record, "step", G_TYPE_INT64) ||
        !holds(record, "epoch", G_TYPE_INT64))
        return NULL;
    return json_object_ref(record);
}

/* Returns: (transfer full): the records up to @step. @kept: (optional): gets their lines. */
static GPtrArray *parse_records(const char *text, gsize bytes, guint64 step, GString *kept)
{
    GPtrArray *records = g_ptr_array_new_with_free_func((GDestroyNotify)json_object_unref);
    const char *end = text + bytes;

    for (const char *line = text, *next; line < end; line = next) {
        const char *newline = memchr(line, '\n', end - line);
        gsize length = (newline ? newline : end) - line;
        next = newline ? newline + 1 : end;
        JsonObject *record = parse_record(line, length);
        if (!record)
            continue;
        if ((guint64)json_object_get_int_member(record, "step") > step) {
            json_object_unref(record);
            continue;
        }
        g_ptr_array_add(records, record);
        if (kept)
            g_string_append_printf(kept, "%.*s\n", (int)length, line);
    }
    return records;
}

static gboolean read_text(const char *file, char **text, gsize *bytes, GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (g_file_get_contents(file, text, bytes, &reason))
        return TRUE;
    g_set_error(error, PIX_ERROR, PIX_ERROR_IO, "%s: cannot be read (%s), check the name", file,
                reason->message);
    return FALSE;
}

GPtrArray *run_log_read(const char *file, GError **error)
{
    g_autofree char *text = NULL;
    gsize bytes;

    if (!read_text(file, &text, &bytes, error))
        return NULL;
    return parse_records(text, bytes, G_MAXUINT64, NULL);
}

/* ---- opening ---- */

/* Drops what does not belong into the log of a run that is at @step. */
static gboolean trim(const char *file, guint64 step, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GString) kept = g_string_new(NULL);
    gsize bytes;

    if (!g_file_test(file, G_FILE_TEST_IS_REGULAR))
        return TRUE;
    if (!read_text(file, &text, &bytes, error))
        return FALSE;
    g_ptr_array_unref(parse_records(text, bytes, step, kept));
    if (kept->len == bytes && !memcmp(kept->str, text, bytes))
        return TRUE;
    OutputFile *output = output_file_open(file, error);
    if (!output)
        return FALSE;
    fwrite(kept->str, 1, kept->len, output->stream);
    return output_file_commit(output, error); /* sees a failed write, too */
}

RunLog *run_log_open(const char *file, guint64 step, GError **error)
{
    if (!trim(file, step, error))
        return NULL;
    int fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    if (fd < 0) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_IO,
                    "%s: cannot be written (%s), choose another place", file, g_strerror(errno));
        return NULL;
    }
    RunLog *log = g_new0(RunLog, 1);
    log->file = g_strdup(file);
    log->fd = fd;
    return log;
}

void run_log_close(RunLog *log)
{
    if (!log)
        return;
    close(log->fd);
    g_free(log->file);
    g_free(log);
}

/* ---- adding ---- */

/* Takes @line. What a full disk cut short becomes a line of its own, which no reader takes. */
static gboolean add_line(RunLog *log, GString *line, GError **error)
{
    gsize done = 0;
    gssize wrote = 1;

    if (log->torn)
        g_string_prepend_c(line, '\n');
    while (done < line->len && wrote > 0) {
        wrote = write(log->fd, line->str + done, line->len - done);
        done += MAX(wrote, 0);
    }
    int code = errno;
    gboolean whole = done == line->len;
    log->torn = !whole && (log->torn || done > 0);
    g_string_free(line, TRUE);
    if (whole || log->told)
        return TRUE;
    log->told = TRUE;
    g_set_error(error, PIX_ERROR, PIX_ERROR_IO,
                "%s: cannot be written (%s), free some space; the training goes on", log->file,
                g_strerror(code));
    return FALSE;
}

/* Numbers are written here and not by json-glib, which takes 17 digits for each. */
static void add_number(GString *line, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    if (isfinite(value))
        g_string_append(line, g_ascii_formatd(text, sizeof(text), "%.9g", value));
    else
        g_string_append(line, "null");
}

static void add_text(GString *line, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autoptr(JsonNode) node = json_node_init_string(json_node_alloc(), valid);
    g_autofree char *quoted = json_to_string(node, FALSE);

    g_string_append(line, quoted);
}

static void add_member(GString *line, const char *name, double value)
{
    g_string_append_printf(line, ",\"%s\":", name);
    add_number(line, value);
}

static GString *new_line(const char *type, guint64 step, int epoch)
{
    GString *line = g_string_new(NULL);

    g_string_append_printf(line, "{\"type\":\"%s\",\"step\":%" G_GUINT64_FORMAT ",\"epoch\":%d",
                           type, step, epoch);
    return line;
}

gboolean run_log_train(RunLog *log, const RunLogTrain *train, GError **error)
{
    GString *line = new_line("train", train->step, train->epoch);

    g_string_append_printf(line, ",\"images\":%" G_GUINT64_FORMAT ",\"losses\":{", train->images);
    for (int i = 0; i < train->n; i++) {
        g_string_append(line, i ? "," : "");
        add_text(line, train->names[i]);
        g_string_append_c(line, ':');
        add_number(line, train->losses[i]);
    }
    g_string_append_c(line, '}');
    add_member(line, "learning_rate", train->learning_rate);
    add_member(line, "images_per_s", train->images_per_s);
    add_member(line, "step_ms", train->step_ms);
    add_member(line, "data_wait_ms", train->data_wait_ms);
    g_string_append(line, "}\n");
    return add_line(log, line, error);
}

gboolean run_log_validation(RunLog *log, guint64 step, int epoch, const MetricsResult *result,
                            double seconds, GError **error)
{
    GString *line = new_line("validation", step, epoch);

    add_member(line, "L1", result->l1);
    add_member(line, "PSNR", result->psnr);
    add_member(line, "SSIM", result->ssim);
    add_member(line, "SWD", result->swd);
    g_string_append(line, ",\"SWD_levels\":[");
    for (int i = 0; i < result->n_levels; i++) {
        g_string_append(line, i ? "," : "");
        add_number(line, result->swd_levels[i]);
    }
    g_string_append_printf(line, "],\"n\":%d", result->n);
    add_member(line, "seconds", seconds);
    g_string_append(line, "}\n");
    return add_line(log, line, error);
}

/* A record with one text. */
static gboolean add_text_record(RunLog *log, const char *type, guint64 step, int epoch,
                                const char *name, const char *text, GError **error)
{
    GString *line = new_line(type, step, epoch);

    g_string_append_printf(line, ",\"%s\":", name);
    add_text(line, text);
    g_string_append(line, "}\n");
    return add_line(log, line, error);
}

gboolean run_log_samples(RunLog *log, guint64 step, int epoch, const char *folder, GError **error)
{
    return add_text_record(log, "samples", step, epoch, "folder", folder, error);
}

gboolean run_log_note(RunLog *log, guint64 step, int epoch, const char *text, GError **error)
{
    return add_text_record(log, "note", step, epoch, "text", text, error);
}
