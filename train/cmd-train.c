/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * pix2pix train: from pairs of pictures to a generator, or on with a run that was interrupted.
 */
#include "command.h"
#include "free-memory.h"
#include "train-asked.h"
#include "train.h"

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

static gboolean begin(Train *train, GError **error)
{
    const char *const files[] = {train->settings.init_g, train->settings.init_d};

    train_begin_state(train);
    if (!train_open_networks(train, files, error) || !train_open_data(train, error) ||
        !train_prepare(train, error))
        return FALSE;
    train_sign_state(train);
    train->folder = run_folder_make(train->settings.output, error);
    return train->folder && train_open_files(train, error);
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

static int run_again(const Command *command, const TrainAsked *asked)
{
    g_auto(Train) train = {.free_memory = free_memory()};
    g_autofree char *path = g_canonicalize_filename(asked->resume, NULL);
    GError *error = NULL;

    settings_init(&train.settings);
    train.folder = run_folder_open(path, &error);
    if (!train.folder || !train_resume(&train, asked, &error))
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
        "or on another --device, see pix2pix devices: what it saves is the same for all of them.\n"
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
