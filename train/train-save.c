/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The networks and the counters of a run, on disk. */
#include "fingerprint.h"
#include "train.h"

#include <stdio.h>
#include <string.h>

static guint list_networks(const Train *train, PixStateNetwork networks[STEP_MAX_NETWORKS])
{
    const Step *step = train->step;

    for (int i = 0; i < step->n_networks; i++)
        networks[i] = (PixStateNetwork){step->networks[i].name, step->networks[i].network};
    return step->n_networks;
}

/* ---- saving ---- */

gboolean train_save_networks(Train *train, const char *name, gboolean all, GError **error)
{
    const Step *step = train->step;
    gboolean average = train->settings.ema > 0;

    for (int i = 0; i < (all ? step->n_networks : 1); i++) {
        const StepNetwork *network = &step->networks[i];
        g_autofree char *base = g_strconcat(name, network->suffix, ".safetensors", NULL);
        g_autofree char *file = run_folder_file(train->folder, base);
        if (!pix_network_save(network->network, file, train->width, train->height,
                              PIX_STATISTICS_FRAME, average && i == 0, error))
            return FALSE;
        if (i == 0 && !strcmp(name, "latest"))
            train->latest_step = train->state.step;
    }
    return TRUE;
}

gboolean train_save_models(Train *train, GError **error)
{
    return train_save_networks(train, "latest", TRUE, error) &&
           (train->val || train_save_networks(train, "best", FALSE, error));
}

static gboolean save_state(Train *train, GError **error)
{
    PixStateNetwork networks[STEP_MAX_NETWORKS];
    guint n = list_networks(train, networks);
    g_autofree char *file = run_folder_state(train->folder, train->state.step);
    g_autoptr(GHashTable) metadata = train_state_write(&train->state);

    if (!run_folder_make_folder(train->folder, "states", error) ||
        !pix_state_save(file, networks, n, metadata, error))
        return FALSE;
    run_folder_prune_states(train->folder, train->settings.keep);
    return TRUE;
}

/* The state first: what the others hold can be made of it. */
void train_save(Train *train)
{
    GError **error = &train->save_error;
    const char *what = NULL;

    g_clear_error(error);
    if (!save_state(train, error))
        what = "is not saved";
    else if (!train_save_models(train, error))
        what = "is saved, but not its model";
    if (what)
        train_say(train, "step %" G_GUINT64_FORMAT " %s: %s", train->state.step, what,
                  (*error)->message);
}

void train_tell_unsaved(Train *train)
{
    const char *path = run_folder_get_path(train->folder);
    g_autofree char *model = run_folder_file(train->folder, "latest.safetensors");
    g_autofree char *what = train->latest_step == 0
                                ? g_strdup("no generator is saved")
                                : g_strdup_printf("%s is the generator of step %" G_GUINT64_FORMAT,
                                                  model, train->latest_step);

    if (train->save_error)
        train_say(train,
                  "all %" G_GUINT64_FORMAT " steps are done, but the end of it is not saved; %s; "
                  "when that is mended, go on with: pix2pix train --resume %s",
                  train->state.step, what, path);
    else
        train_say(train,
                  "all %" G_GUINT64_FORMAT " steps are done, but best.safetensors is not the best "
                  "one; %s",
                  train->state.step, what);
}

/* ---- finding a state again ---- */

gboolean train_find_state(Train *train, char **path, GError **error)
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
        train_say(train, "%s%s", reason->message, next);
        if (g_error_matches(reason, PIX_ERROR, PIX_ERROR_BAD_CHECKPOINT))
            run_folder_set_aside(states->pdata[i]);
    }
    if (states->len == 0)
        return TRUE;
    g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_CHECKPOINT,
                "%s: none of its states can be read, start anew with another --output",
                run_folder_get_path(train->folder));
    return FALSE;
}

/* The names of the losses, as they stand in a state. */
char *train_list_losses(const Train *train)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (int i = 0; i < train->step->n_losses; i++)
        g_string_append_printf(text, "%s%s", i ? " " : "", train->step->losses[i]);
    return g_strdup(text->str);
}

gboolean train_check_state(const Train *train, const char *path, GError **error)
{
    const TrainState *state = &train->state;
    g_autofree char *settings = settings_hash(&train->settings);
    g_autofree char *losses = train_list_losses(train);
    g_autofree char *difference = fingerprint_compare(train->data, state->dataset, state->pairs);
    g_autofree char *other = g_strconcat("with another data set: ", difference, NULL);
    const struct {
        gboolean same;
        const char *what;
    } checks[] = {
        {!strcmp(state->kind, train->step->kind->name), "by another kind of step"},
        {!difference, other},
        {!strcmp(state->settings, settings) && !strcmp(state->losses, losses),
         "under other settings than those of config.json"},
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

gboolean train_load_state(Train *train, const char *path, GError **error)
{
    PixStateNetwork networks[STEP_MAX_NETWORKS];
    guint n = list_networks(train, networks);

    return pix_state_load(path, networks, n, error);
}
