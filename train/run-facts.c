/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "run-facts.h"

#include "run-log.h"

#include <string.h>

#define STATE_PREFIX "state-" /* see run-folder.h */
#define STATE_SUFFIX ".safetensors"

static JsonObject *read_config(const char *run_folder)
{
    g_autofree char *file = g_build_filename(run_folder, "config.json", NULL);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root =
        json_parser_load_from_file(parser, file, NULL) ? json_parser_get_root(parser) : NULL;

    return root && JSON_NODE_HOLDS_OBJECT(root) ? json_object_ref(json_node_get_object(root))
                                                : json_object_new();
}

/* Of the newest state: the log may end before it. */
static gint64 find_saved_step(const char *run_folder)
{
    g_autofree char *path = g_build_filename(run_folder, "states", NULL);
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    const char *name;
    gint64 newest = 0;

    while (folder && (name = g_dir_read_name(folder))) {
        if (g_str_has_prefix(name, STATE_PREFIX) && g_str_has_suffix(name, STATE_SUFFIX))
            newest = MAX(newest, g_ascii_strtoll(name + strlen(STATE_PREFIX), NULL, 10));
    }
    return newest;
}

void run_facts_init(RunFacts *facts, const char *run_folder)
{
    g_autofree char *path = g_canonicalize_filename(run_folder, NULL);
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *log = g_build_filename(run_folder, "log.jsonl", NULL);

    *facts = (RunFacts){
        .name = g_utf8_make_valid(base, -1),
        .config = read_config(run_folder),
        .records = run_log_read(log, NULL),
        .step = find_saved_step(run_folder),
    };
    if (!facts->records)
        facts->records = g_ptr_array_new();
    for (guint i = 0; i < facts->records->len; i++) {
        JsonObject *record = facts->records->pdata[i];
        facts->step = MAX(facts->step, json_object_get_int_member(record, "step"));
        facts->epoch = MAX(facts->epoch, json_object_get_int_member(record, "epoch"));
    }
    for (int i = 0; i < 2; i++) {
        g_autofree char *value = run_facts_get_setting(facts, i ? "epochs_decay" : "epochs");
        facts->epochs += value ? g_ascii_strtoll(value, NULL, 10) : 0;
    }
}

void run_facts_clear(RunFacts *facts)
{
    g_free(facts->name);
    json_object_unref(facts->config);
    g_ptr_array_unref(facts->records);
}

char *run_facts_get_setting(const RunFacts *facts, const char *name)
{
    JsonNode *node = json_object_get_member(facts->config, name);

    if (!node || !JSON_NODE_HOLDS_VALUE(node))
        return NULL;
    if (json_node_get_value_type(node) == G_TYPE_STRING)
        return *json_node_get_string(node) ? json_node_dup_string(node) : NULL;
    if (json_node_get_value_type(node) != G_TYPE_DOUBLE)
        return json_to_string(node, FALSE);
    char text[G_ASCII_DTOSTR_BUF_SIZE]; /* json-glib writes 17 digits */
    return g_strdup(g_ascii_formatd(text, sizeof(text), "%.9g", json_node_get_double(node)));
}
