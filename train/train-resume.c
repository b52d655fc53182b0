/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Going on with a run: what its folder holds, and whether it fits. */
#include "command.h"
#include "fingerprint.h"
#include "train-asked.h"
#include "train.h"

#include <json-glib/json-glib.h>
#include <string.h>

/* ---- its newest state ---- */

/* The last step that the log knows of. */
static guint64 find_logged_step(const Train *train)
{
    g_autofree char *file = run_folder_file(train->folder, "log.jsonl");
    g_autoptr(GPtrArray) records = run_log_read(file, NULL);
    guint64 last = 0;

    for (guint i = 0; records && i < records->len; i++)
        last = MAX(last, (guint64)json_object_get_int_member(records->pdata[i], "step"));
    return last;
}

static gboolean holds(const Train *train, const char *name)
{
    g_autofree char *file = run_folder_file(train->folder, name);

    return g_file_test(file, G_FILE_TEST_EXISTS);
}

/* What was learnt must not be overwritten by a beginner. */
static void set_lost_error(const Train *train, GError **error)
{
    const char *path = run_folder_get_path(train->folder);
    const char *model = holds(train, "latest.safetensors") ? "latest.safetensors"
                        : holds(train, "best.safetensors") ? "best.safetensors"
                                                           : NULL;
    g_autofree char *generator = g_strdup_printf("--init-g %s/%s and ", path, model);

    g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_CHECKPOINT,
                "%s: has no state that can be read, though it made steps (%" G_GUINT64_FORMAT
                " by its log); begin a new run with %sanother --output",
                path, find_logged_step(train), model ? generator : "");
}

/*
 * A run that was killed before its first save begins again. One that did save, by its models, its
 * log or states that were set aside, does not.
 */
static gboolean check_unsaved(Train *train, GError **error)
{
    guint64 step = find_logged_step(train);

    if (holds(train, "latest.safetensors") || run_folder_has_broken_states(train->folder) ||
        step >= (guint64)train->settings.save_steps) {
        set_lost_error(train, error);
        return FALSE;
    }
    if (step > 0)
        train_say(train,
                  "%s: was stopped behind step %" G_GUINT64_FORMAT
                  ", before it saved any; it begins "
                  "again",
                  run_folder_get_path(train->folder), step);
    return TRUE;
}

/* Reads the counters of the newest state that is whole; @path: NULL where there is no state. */
static gboolean find_state(Train *train, char **path, GError **error)
{
    g_autoptr(GPtrArray) states = run_folder_list_states(train->folder);

    *path = NULL;
    for (guint i = 0; i < states->len; i++) {
        g_autoptr(GError) reason = NULL;
        const char *next = i + 1 < states->len ? "; going on with the one before" : "";
        g_autoptr(GHashTable) metadata = pix_state_open(states->pdata[i], &reason);
        if (metadata) {
            *path = g_strdup(states->pdata[i]);
            return train_state_read(&train->state, metadata, *path, error);
        }
        if (!strstr(reason->message, states->pdata[i]))
            g_prefix_error(&reason, "%s: ", (char *)states->pdata[i]);
        train_say(train, "%s%s", reason->message, next);
        if (g_error_matches(reason, PIX_ERROR, PIX_ERROR_BAD_CHECKPOINT))
            run_folder_set_aside(states->pdata[i]);
    }
    if (states->len == 0)
        return TRUE;
    set_lost_error(train, error);
    return FALSE;
}

/* ---- its settings ---- */

static gboolean read_config(Train *train, GError **error)
{
    g_autofree char *file = run_folder_file(train->folder, "config.json");

    if (!settings_read(&train->settings, file, error) || !settings_finish(&train->settings, error))
        return FALSE;
    g_autofree char *hash = settings_hash(&train->settings);
    if (g_strcmp0(hash, train->state.before))
        return TRUE;
    g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_CHECKPOINT,
                "%s: is older than what --override changed", file);
    return FALSE;
}

/* config.json, or what the state knows of it. */
static gboolean read_settings(Train *train, const char *state, GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (read_config(train, &reason))
        return TRUE;
    if (!state) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return FALSE;
    }
    train_say(train,
              "%s; it is made again of %s, with the defaults for what does not change the result",
              reason->message, state);
    return settings_restore(&train->settings, train->state.config, state, error);
}

/* The run's settings, with what the command line may change in them. */
static gboolean merge_settings(Train *train, const TrainAsked *asked, GError **error)
{
    g_autofree char *difference = settings_compare(&train->settings, &asked->settings);

    if (difference && !asked->override) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "%s; pass --override to go on with the new values", difference);
        return FALSE;
    }
    settings_move(&train->settings, run_folder_get_path(train->folder));
    settings_take(&train->settings, &asked->settings);
    return settings_finish(&train->settings, error);
}

/* ---- whether they fit ---- */

/* Returns: (transfer full): what differs from the settings that the state was saved under. */
static char *compare_settings(const Train *train)
{
    g_auto(Settings) was;
    const char *plain = "under other settings than those of config.json";

    settings_init(&was);
    g_autofree char *changes = settings_restore(&was, train->state.config, "", NULL)
                                   ? settings_list_changes(&was, &train->settings)
                                   : NULL;
    return g_strdup_printf("%s%s%s", plain, changes ? ": " : "", changes ? changes : "");
}

/* Whether the state belongs to these settings and this data set. */
static gboolean check_state(const Train *train, const char *path, GError **error)
{
    const TrainState *state = &train->state;
    g_autofree char *hash = settings_hash(&train->settings);
    g_autofree char *losses = train_list_losses(train);
    g_autofree char *settings = compare_settings(train);
    g_autofree char *difference = fingerprint_compare(train->data, state->dataset, state->pairs);
    g_autofree char *data = g_strconcat("with another data set: ", difference, NULL);
    const struct {
        gboolean same;
        const char *what;
    } checks[] = {
        {!strcmp(state->kind, train->step->kind->name), "by another kind of step"},
        {!difference, data},
        {!strcmp(state->settings, hash) && !strcmp(state->losses, losses), settings},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(checks); i++) {
        if (checks[i].same)
            continue;
        g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_CHECKPOINT,
                    "%s: was saved %s; pass --override to go on all the same", path,
                    checks[i].what);
        return FALSE;
    }
    return TRUE;
}

/* An epoch of other pairs, or cut into other batches, cannot be gone on with in its middle. */
static void fit_epoch(Train *train)
{
    TrainState *state = &train->state;
    guint64 batches = loader_count_batches(dataset_get_n(train->data), train->settings.batch_size);
    g_autofree char *difference = fingerprint_compare(train->data, state->dataset, state->pairs);

    if (state->batch == 0 || (batches == state->batches && !difference))
        return;
    train_say(train,
              "going on with epoch %" G_GUINT64_FORMAT ": %" G_GUINT64_FORMAT
              " of %" G_GUINT64_FORMAT
              " batches are done of the one before, and an epoch has %" G_GUINT64_FORMAT " now%s",
              state->epoch + 1, state->batch, state->batches, batches,
              difference ? ", of another data set" : "");
    state->epoch++;
    state->batch = 0;
}

/* ---- going on ---- */

/*
 * A network that came from a file may be one that the settings cannot describe in full: it is made
 * of the run's own copy then, or of the file again where the run has none that can be read.
 */
static char *network_file(const Train *train, const char *init, const char *own)
{
    g_autofree char *file = run_folder_file(train->folder, own);

    if (!init)
        return NULL;
    g_autoptr(PixCheckpoint) checkpoint = pix_checkpoint_open(file, NULL, NULL);
    return g_strdup(checkpoint ? file : init);
}

static gboolean open_networks(Train *train, GError **error)
{
    const Settings *settings = &train->settings;
    g_autofree char *g = network_file(train, settings->init_g, "latest.safetensors");
    g_autofree char *d = network_file(train, settings->init_d, "latest-discriminator.safetensors");
    const char *const files[] = {g, d};

    return train_open_networks(train, files, error);
}

static gboolean load_state(Train *train, const TrainAsked *asked, const char *path, GError **error)
{
    if (!asked->override && !check_state(train, path, error))
        return FALSE;
    fit_epoch(train);
    return train_prepare(train, error) && train_load_state(train, path, error);
}

/*
 * The state comes before config.json, and remembers which one it replaces: a run that is killed in
 * between has the new settings.
 */
static gboolean save_override(Train *train, const char *config_hash, GError **error)
{
    TrainState *state = &train->state;

    if (strcmp(config_hash, state->settings)) {
        g_free(state->before);
        state->before = g_strdup(config_hash);
    }
    return train_save_state(train, error);
}

gboolean train_resume(Train *train, const TrainAsked *asked, GError **error)
{
    g_autofree char *state = NULL;

    train_begin_state(train);
    if (!find_state(train, &state, error) || !read_settings(train, state, error) ||
        (!state && !check_unsaved(train, error)))
        return FALSE;
    g_autofree char *config_hash = settings_hash(&train->settings);
    if (!merge_settings(train, asked, error) || !open_networks(train, error) ||
        !train_open_data(train, error))
        return FALSE;
    if (!state)
        train_begin_state(train); /* of the run's first epoch */
    if (!(state ? load_state(train, asked, state, error) : train_prepare(train, error)))
        return FALSE;
    train_sign_state(train);
    if (state && asked->override && !save_override(train, config_hash, error))
        return FALSE;
    /* The process may have been killed between saving the state and saving the models. */
    return train_open_files(train, error) && (!state || train_save_models(train, error));
}
