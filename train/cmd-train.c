/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * pix2pix train: from pairs of pictures to a generator, or on with a run that was interrupted.
 */
#include "command.h"
#include "fingerprint.h"
#include "free-memory.h"
#include "train-asked.h"
#include "train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Bad values are bad usage, everything else is a failure. */
static int fail(const Command *command, GError *error)
{
    if (error->domain != G_OPTION_ERROR)
        return command_fail(error);
    int status = command_misused(command, "%s", error->message);
    g_error_free(error);
    return status;
}

/* ---- beginning ---- */

static void begin_state(Train *train)
{
    TrainState *state = &train->state;

    train_state_init(state);
    state->epoch = train->settings.start_epoch;
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

/* What the state says of the run that it belongs to. */
static void sign_state(Train *train)
{
    TrainState *state = &train->state;
    g_autofree char *metric = settings_print(&train->settings, "metric");

    if (g_strcmp0(metric, state->best_metric)) /* values of two metrics cannot be compared */
        state->best = NAN;
    g_free(state->kind);
    g_free(state->settings);
    g_free(state->best_metric);
    g_free(state->losses);
    state->kind = g_strdup(train->step->kind->name);
    state->settings = settings_hash(&train->settings);
    state->best_metric = g_steal_pointer(&metric);
    state->losses = train_list_losses(train);
    state->seed = train->settings.seed;
    state->batches = loader_get_batches(train->loader);
    sign_data(train);
}

static gboolean open_log(Train *train, GError **error)
{
    g_autofree char *file = run_folder_file(train->folder, "log.jsonl");

    train->log = run_log_open(file, train->state.step, error);
    return train->log != NULL;
}

static gboolean write_config(Train *train, GError **error)
{
    g_autofree char *file = run_folder_file(train->folder, "config.json");

    return settings_write(&train->settings, file, error);
}

/* Where a person wants the samples; what cannot be made is better known now than in an hour. */
static gboolean make_samples(const Train *train, GError **error)
{
    const Settings *settings = &train->settings;

    return !settings->samples_dir || settings->samples == 0 ||
           run_folder_make_folder(train->folder, settings->samples_dir, error);
}

static gboolean begin(Train *train, GError **error)
{
    const char *const files[] = {train->settings.init_g, train->settings.init_d};

    begin_state(train);
    if (!train_open_networks(train, files, error) || !train_open_data(train, error) ||
        !train_prepare(train, error))
        return FALSE;
    sign_state(train);
    train->folder = run_folder_make(train->settings.output, error);
    return train->folder && make_samples(train, error) && open_log(train, error) &&
           write_config(train, error);
}

static int run_new(const Command *command, TrainAsked *asked)
{
    g_auto(Train) train = {.settings = asked->settings, .free_memory = free_memory()};
    GError *error = NULL;

    memset(&asked->settings, 0, sizeof(asked->settings)); /* they are the run's now */
    if (!train.settings.output)
        return command_misused(command, "--output RUN is missing");
    if (!settings_finish(&train.settings, &error) || !begin(&train, &error))
        return fail(command, error);
    train_describe(&train);
    return train_run(&train);
}

/* ---- going on ---- */

/* The run's settings, with what the command line may change in them. */
static gboolean merge_settings(Train *train, const TrainAsked *asked, GError **error)
{
    const char *path = run_folder_get_path(train->folder);
    g_autofree char *file = run_folder_file(train->folder, "config.json");

    if (!settings_read(&train->settings, file, error))
        return FALSE;
    g_autofree char *difference = settings_compare(&train->settings, &asked->settings);
    if (difference && !asked->override) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "%s; pass --override to go on with the new values", difference);
        return FALSE;
    }
    settings_move(&train->settings, path);
    settings_take(&train->settings, &asked->settings);
    return settings_finish(&train->settings, error);
}

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

static gboolean go_on(Train *train, const TrainAsked *asked, GError **error)
{
    g_autofree char *state = NULL;

    begin_state(train);
    if (!open_networks(train, error) || !train_open_data(train, error) ||
        !train_find_state(train, &state, error) ||
        (state && !asked->override && !train_check_state(train, state, error)) ||
        !train_prepare(train, error) || (state && !train_load_state(train, state, error)))
        return FALSE;
    sign_state(train);
    if (!make_samples(train, error) || !open_log(train, error) || !write_config(train, error))
        return FALSE;
    /* The process may have been killed between saving the state and saving these. */
    if (state && !train_save_models(train, error))
        return FALSE;
    if (state && asked->override)
        train_save(train);
    return TRUE;
}

static int run_again(const Command *command, const TrainAsked *asked)
{
    g_auto(Train) train = {.free_memory = free_memory()};
    g_autofree char *path = g_canonicalize_filename(asked->resume, NULL);
    GError *error = NULL;

    settings_init(&train.settings);
    train.folder = run_folder_open(path, &error);
    if (!train.folder || !merge_settings(&train, asked, &error) || !go_on(&train, asked, &error))
        return fail(command, error);
    if (train.state.step >= train.steps)
        printf("%s is finished: %" G_GUINT64_FORMAT " steps are done\n", path, train.state.step);
    else
        train_describe(&train);
    return train_run(&train);
}

/* ---- the command ---- */

static int run(const Command *command, int argc, char **argv)
{
    g_auto(TrainAsked) asked;
    CommandOptions options = {0};
    g_auto(GStrv) arguments = NULL;
    GError *error = NULL;

    train_asked_init(&asked);
    g_autofree GOptionEntry *entries = train_asked_entries(&asked);
    settings_spell(argc, argv);
    if (!settings_check_flags(argc, argv, &error))
        return fail(command, error);
    settings_note_words(argc, argv);
    int status = command_parse_groups(command, settings_option_groups(&asked.settings), entries, 0,
                                      &options, argc, argv, &arguments);
    if (status != COMMAND_CONTINUE)
        return status;
    if (arguments[0] && !settings_set(&asked.settings, "data", NULL, arguments[0], &error))
        return fail(command, error);
    if (!train_asked_finish(&asked, &error))
        return fail(command, error);
    if (!asked.resume)
        return asked.override ? command_misused(command, "--override belongs to --resume")
                              : run_new(command, &asked);
    if (settings_is_given(&asked.settings, "output"))
        return command_misused(command, "takes either --output for a new run or --resume");
    return run_again(command, &asked);
}

const Command command_train = {
    .name = "train",
    .arguments = "DATASET --output RUN",
    .summary = "Trains a generator on pairs of images",
    .description =
        "DATASET is a folder with train/ and val/, whose images hold A on the left and B on the\n"
        "right. RUN is made; in it, index.html shows how the run goes, latest.safetensors and\n"
        "best.safetensors are models for the element. To go on with it:\n"
        "\n"
        "  pix2pix train --resume RUN\n"
        "\n"
        "Ctrl-C finishes the step, saves and leaves. Names of options may be written with _ for "
        "-,\n"
        "and those of other pix2pix implementations are understood.\n"
        "\n"
        "The learning rate is constant for --epochs, then falls on a straight line from step to\n"
        "step and is 0 behind the last one of --epochs-decay. --max-steps does not change that.",
    .min_arguments = 0,
    .max_arguments = 1,
    .run = run,
};
