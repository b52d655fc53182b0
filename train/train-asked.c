/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "train-asked.h"

#include "model-folder.h"

#include <string.h>

void train_asked_init(TrainAsked *asked)
{
    *asked = (TrainAsked){.decay_epoch = -1};
    settings_init(&asked->settings);
}

void train_asked_clear(TrainAsked *asked)
{
    settings_clear(&asked->settings);
    g_free(asked->resume);
    g_free(asked->name);
    g_free(asked->suffix);
    g_free(asked->checkpoints_dir);
    g_free(asked->checkpoint);
}

GOptionEntry *train_asked_entries(TrainAsked *asked)
{
    const int hidden = G_OPTION_FLAG_HIDDEN;
    const GOptionArg file = G_OPTION_ARG_FILENAME;
    const GOptionEntry entries[] = {
        {"resume", 0, 0, file, &asked->resume,
         "Go on with the run in this folder as if it had never stopped", "RUN"},
        {"override", 0, 0, G_OPTION_ARG_NONE, &asked->override,
         "With --resume: with other settings or another data set than so far", NULL},
        {"decay-epoch", 0, hidden, G_OPTION_ARG_INT64, &asked->decay_epoch, NULL, ""},
        {"name", 0, hidden, file, &asked->name, NULL, ""},
        {"suffix", 0, hidden, file, &asked->suffix, NULL, ""},
        {"checkpoints-dir", 0, hidden, file, &asked->checkpoints_dir, NULL, ""},
        {"checkpoint", 0, hidden, file, &asked->checkpoint, NULL, ""},
        {0},
    };

    return g_memdup2(entries, sizeof(entries));
}

/* ---- what it means ---- */

static gboolean divide_epochs(TrainAsked *asked, GError **error)
{
    Settings *settings = &asked->settings;
    g_autofree char *full = g_strdup_printf("%" G_GINT64_FORMAT, asked->decay_epoch);
    g_autofree char *decay =
        g_strdup_printf("%" G_GINT64_FORMAT, settings->epochs - asked->decay_epoch);

    if (asked->decay_epoch < 0)
        return TRUE;
    if (settings_is_given(settings, "epochs_decay") || asked->decay_epoch > settings->epochs) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--decay-epoch N is one of --epochs, and takes the place of --epochs-decay");
        return FALSE;
    }
    return settings_set(settings, "epochs", NULL, full, error) &&
           settings_set(settings, "epochs_decay", NULL, decay, error);
}

static gboolean name_output(TrainAsked *asked, GError **error)
{
    g_autofree char *path = NULL;

    return model_folder_name(asked->checkpoints_dir, asked->name, asked->suffix, &path, error) &&
           (!path || asked->settings.output ||
            settings_set(&asked->settings, "output", NULL, path, error));
}

/* A new run begins with both networks of an old one. */
static gboolean take_checkpoint(TrainAsked *asked, GError **error)
{
    Settings *settings = &asked->settings;
    const char *from = asked->checkpoint;
    gboolean is_run = from && model_folder_is_run(from);

    if (!from)
        return TRUE;
    if (is_run && !settings->output) {
        if (!asked->resume)
            asked->resume = g_strdup(from);
        return TRUE;
    }
    g_autofree char *g = model_folder_find(from, "latest");
    g_autofree char *d = g_build_filename(from, "latest-discriminator.safetensors", NULL);
    if (!settings->init_g && !settings_set(settings, "init_g", NULL, g ? g : from, error))
        return FALSE;
    return settings->init_d || !is_run || !g_file_test(d, G_FILE_TEST_EXISTS) ||
           settings_set(settings, "init_d", NULL, d, error);
}

gboolean train_asked_finish(TrainAsked *asked, GError **error)
{
    return divide_epochs(asked, error) && name_output(asked, error) &&
           take_checkpoint(asked, error);
}
