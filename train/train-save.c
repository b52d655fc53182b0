/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The networks and the counters of a run, on disk. */
#include "command.h"
#include "fingerprint.h"
#include "train.h"

#include <math.h>
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

gboolean train_save_state(Train *train, GError **error)
{
    PixStateNetwork networks[STEP_MAX_NETWORKS];
    guint n = list_networks(train, networks);
    g_autofree char *file = run_folder_state(train->folder, train->state.step);
    g_autoptr(GHashTable) metadata = train_state_write(&train->state);

    if (!run_folder_make_folder(train->folder, "states", error) ||
        !pix_state_save(file, networks, n, metadata, error))
        return FALSE;
    run_folder_prune_states(train->folder, train->state.step, train->settings.keep);
    return TRUE;
}

/* But for numbers: of steps, and of bytes that are missing. */
static gboolean is_the_same(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (g_ascii_isdigit(*a))
            a++;
        while (g_ascii_isdigit(*b))
            b++;
        if (*a != *b)
            return FALSE;
        if (!*a)
            return TRUE;
    }
}

/* A full disk is told once, not at every save; and once more to a person who stops the run. */
static void tell_save_error(Train *train, const char *what)
{
    gboolean blown = g_error_matches(train->save_error, PIX_ERROR, PIX_ERROR_BAD_CHECKPOINT);
    g_autofree char *text = g_strdup_printf(
        "step %" G_GUINT64_FORMAT " %s: %s%s", train->state.step, what, train->save_error->message,
        blown ? "; what was saved before is as it was, try a smaller --learning-rate" : "");

    if (!train->save_told || !is_the_same(train->save_told, text) || command_interrupted())
        train_say(train, "%s", text);
    g_free(train->save_told);
    train->save_told = g_steal_pointer(&text);
}

/* The state first: what the others hold can be made of it. */
void train_save(Train *train)
{
    GError **error = &train->save_error;
    const char *what = NULL;

    g_clear_error(error);
    if (!train_save_state(train, error))
        what = "is not saved";
    else if (!train_save_models(train, error))
        what = "is saved, but not its model";
    if (what)
        tell_save_error(train, what);
    else
        g_clear_pointer(&train->save_told, g_free);
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

/* ---- what a state says of its run ---- */

/* The names of the losses, as they stand in a state. */
char *train_list_losses(const Train *train)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (int i = 0; i < train->step->n_losses; i++)
        g_string_append_printf(text, "%s%s", i ? " " : "", train->step->losses[i]);
    return g_strdup(text->str);
}

/* A resumed run keeps the fingerprint of its first day, whichever pictures broke since then. */
static void sign_data(Train *train)
{
    TrainState *state = &train->state;
    g_autofree char *difference =
        state->dataset ? fingerprint_compare(train->data, state->dataset, state->pairs) : NULL;

    if (state->dataset && !difference)
        return;
    g_free(state->dataset);
    state->dataset = fingerprint_make(train->data);
    state->pairs = dataset_get_n(train->data);
}

void train_sign_state(Train *train)
{
    TrainState *state = &train->state;
    g_autofree char *metric = settings_print(&train->settings, "metric");

    if (g_strcmp0(metric, state->best_metric)) /* values of two metrics cannot be compared */
        state->best = NAN;
    g_free(state->kind);
    g_free(state->settings);
    g_free(state->config);
    g_clear_pointer(&state->before, g_free);
    g_free(state->best_metric);
    g_free(state->losses);
    state->kind = g_strdup(train->step->kind->name);
    state->settings = settings_hash(&train->settings);
    state->config = settings_store(&train->settings);
    state->best_metric = g_steal_pointer(&metric);
    state->losses = train_list_losses(train);
    state->seed = train->settings.seed;
    state->batches = loader_get_batches(train->loader);
    sign_data(train);
}

/* ---- loading ---- */

gboolean train_load_state(Train *train, const char *path, GError **error)
{
    PixStateNetwork networks[STEP_MAX_NETWORKS];
    guint n = list_networks(train, networks);

    return pix_state_load(path, networks, n, error);
}
