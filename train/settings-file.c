/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Settings as config.json, and what a resumed run has to say of them. */
#include "output-file.h"
#include "settings-table.h"

#include <json-glib/json-glib.h>
#include <pix2pix/pix.h>
#include <string.h>

/* Returns: (transfer full): JSON. */
static char *print_string(const char *text)
{
    g_autoptr(JsonNode) node = json_node_init_string(json_node_alloc(), text);

    return json_to_string(node, FALSE);
}

/* Not through json-glib, which writes numbers that it cannot read, such as 1e+30. */
static char *print_value(const Settings *settings, const SettingRow *row)
{
    g_autofree char *text = settings_print_row(settings, row);
    char *exponent = strchr(text, 'e');

    if (row->type == SETTING_BOOL || row->type == SETTING_INT)
        return g_steal_pointer(&text);
    if (row->type != SETTING_NUMBER)
        return print_string(text);
    if (!exponent || strchr(text, '.'))
        return g_steal_pointer(&text);
    *exponent = 0;
    return g_strconcat(text, ".0e", exponent + 1, NULL);
}

typedef gboolean (*SettingFilter)(const SettingRow *row);

static gboolean take_all(const SettingRow *row)
{
    return TRUE;
}

static gboolean take_needed(const SettingRow *row)
{
    return !row->free || row->group == SETTING_GROUP_DATA || row->group == SETTING_GROUP_NONE;
}

static GString *print_rows(const Settings *settings, SettingFilter filter)
{
    GString *text = g_string_new("{\n");

    for (guint i = 0; i < settings_n_rows; i++) {
        g_autofree char *value = print_value(settings, &settings_table[i]);
        if (filter(&settings_table[i]))
            g_string_append_printf(text, "  \"%s\" : %s,\n", settings_table[i].name, value);
    }
    g_string_truncate(text, text->len - 2); /* JSON has no comma behind the last one */
    g_string_append(text, "\n}\n");
    return text;
}

gboolean settings_write(const Settings *settings, const char *file, GError **error)
{
    OutputFile *output = output_file_open(file, error);
    g_autoptr(GString) text = print_rows(settings, take_all);

    if (!output)
        return FALSE;
    fputs(text->str, output->stream);
    return output_file_commit(output, error);
}

char *settings_store(const Settings *settings)
{
    return g_string_free(print_rows(settings, take_needed), FALSE);
}

static gboolean bad_file(const char *file, const char *what, GError **error)
{
    g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_CHECKPOINT,
                "%s: %s; it belongs to a run and is not to be edited", file, what);
    return FALSE;
}

/* Returns: (transfer full): a plain value as settings_set() takes it; NULL for anything else. */
static char *value_text(JsonNode *node)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    switch (JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_INVALID) {
    case G_TYPE_BOOLEAN:
        return g_strdup(json_node_get_boolean(node) ? "true" : "false");
    case G_TYPE_INT64:
        return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node));
    case G_TYPE_DOUBLE:
        return g_strdup(g_ascii_dtostr(text, sizeof(text), json_node_get_double(node)));
    case G_TYPE_STRING:
        return json_node_dup_string(node);
    default:
        return NULL;
    }
}

static gboolean read_row(Settings *settings, const SettingRow *row, JsonObject *object,
                         const char *file, GError **error)
{
    JsonNode *node = json_object_get_member(object, row->name);
    g_autofree char *text = node ? value_text(node) : NULL;
    g_autoptr(GError) reason = NULL;

    if (!node) /* written before there was such a setting */
        return TRUE;
    if (!text) {
        g_autofree char *what = g_strdup_printf("has no plain value for '%s'", row->name);
        return bad_file(file, what, error);
    }
    return settings_set(settings, row->name, NULL, text, &reason) ||
           bad_file(file, reason->message, error);
}

/* A setting of a later version may change what a run computes. */
static gboolean check_names(JsonObject *object, const char *file, GError **error)
{
    g_autoptr(GList) names = json_object_get_members(object);

    for (const GList *name = names; name; name = name->next) {
        guint i = 0;
        while (i < settings_n_rows && strcmp(settings_table[i].name, name->data))
            i++;
        if (i < settings_n_rows)
            continue;
        g_autofree char *what =
            g_strdup_printf("has the setting '%s' of another version", (char *)name->data);
        return bad_file(file, what, error);
    }
    return TRUE;
}

static gboolean read_root(Settings *settings, JsonParser *parser, const char *file, GError **error)
{
    JsonNode *root = json_parser_get_root(parser);

    if (!root || !JSON_NODE_HOLDS_OBJECT(root))
        return bad_file(file, "holds no settings", error);
    if (!check_names(json_node_get_object(root), file, error))
        return FALSE;
    for (guint i = 0; i < settings_n_rows; i++) {
        if (!read_row(settings, &settings_table[i], json_node_get_object(root), file, error))
            return FALSE;
    }
    memset(settings->given, 0, sizeof(settings->given));
    return TRUE;
}

gboolean settings_read(Settings *settings, const char *file, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) reason = NULL;

    if (!json_parser_load_from_file(parser, file, &reason))
        return bad_file(file, reason->message, error);
    return read_root(settings, parser, file, error);
}

gboolean settings_restore(Settings *settings, const char *text, const char *file, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) reason = NULL;

    settings_clear(settings);
    settings_init(settings);
    if (!json_parser_load_from_data(parser, text, -1, &reason))
        return bad_file(file, reason->message, error);
    return read_root(settings, parser, file, error);
}

char *settings_list_changes(const Settings *was, const Settings *is)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < settings_n_rows; i++) {
        const SettingRow *row = &settings_table[i];
        g_autofree char *old = settings_print_row(was, row);
        g_autofree char *new = settings_print_row(is, row);
        if (!row->free && strcmp(old, new))
            g_string_append_printf(text, "%s%s was %s, is %s", text->len ? "; " : "", row->name,
                                   *old ? old : "none", *new ? new : "none");
    }
    return g_string_free(text, text->len == 0);
}

char *settings_compare(const Settings *run, const Settings *asked)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < settings_n_rows; i++) {
        const SettingRow *row = &settings_table[i];
        g_autofree char *old = settings_print_row(run, row);
        g_autofree char *new = settings_print_row(asked, row);
        if (!asked->given[i] || row->free || !strcmp(old, new))
            continue;
        g_string_append_printf(text, "%s%s: the run has %s, the command line says %s",
                               text->len ? "; " : "", row->name, *old ? old : "none",
                               *new ? new : "none");
    }
    return g_string_free(text, text->len == 0);
}

void settings_take(Settings *settings, const Settings *asked)
{
    for (guint i = 0; i < settings_n_rows; i++) {
        g_autofree char *value = settings_print_row(asked, &settings_table[i]);
        if (asked->given[i])
            settings_set(settings, settings_table[i].name, NULL, value, NULL);
    }
}

/* Of what is not as it is by default, so that a setting that comes later changes nothing. */
char *settings_hash(const Settings *settings)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_auto(Settings) defaults;

    settings_init(&defaults);
    for (guint i = 0; i < settings_n_rows; i++) {
        const SettingRow *row = &settings_table[i];
        g_autofree char *value = settings_print_row(settings, row);
        g_autofree char *usual = settings_print_row(&defaults, row);
        g_autofree char *line = g_strdup_printf("%s=%s", row->name, value);
        if (!row->free && strcmp(value, usual)) /* with the zero at its end */
            g_checksum_update(sum, (const guchar *)line, strlen(line) + 1);
    }
    return g_strdup(g_checksum_get_string(sum));
}
