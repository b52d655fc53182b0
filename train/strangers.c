/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "strangers.h"

#include "command.h"

#include <string.h>

const Stranger strangers_train[] = {
    {"gpu-ids", FALSE, NULL, "--device chooses the processor"},
    {"use-gpu", FALSE, NULL, "--device chooses the processor"},
    {"display-id", FALSE, NULL, "RUN/index.html shows the run"},
    {"display-winsize", FALSE, NULL, "RUN/index.html shows the run"},
    {"display-ncols", FALSE, NULL, "RUN/index.html shows the run"},
    {"display-server", FALSE, NULL, "RUN/index.html shows the run"},
    {"display-env", FALSE, NULL, "RUN/index.html shows the run"},
    {"display-port", FALSE, NULL, "RUN/index.html shows the run"},
    {"update-html-freq", FALSE, NULL, "RUN/index.html is kept up to date"},
    {"progress-freq", FALSE, NULL, "progress is always shown"},
    {"trace-freq", FALSE, NULL, "pix2pix bench --train shows where the time goes"},
    {"use-wandb", TRUE, NULL, "RUN/log.jsonl holds every figure"},
    {"wandb-project-name", FALSE, NULL, "RUN/log.jsonl holds every figure"},
    {"save-by-iter", TRUE, NULL, "states are named by their step"},
    {"pool-size", FALSE, "0", "pix2pix has no image pool"},
    {"model", FALSE, "pix2pix", "this trains pix2pix"},
    {"mode", FALSE, "train", "see pix2pix test and pix2pix convert"},
    {"dataset-mode", FALSE, "aligned", "pairs are needed"},
    {"aspect-ratio", FALSE, "1.0", "--load-size takes WIDTHxHEIGHT"},
    {"output-filetype", FALSE, "png", "pictures are PNG"},
    {"continue-train", TRUE, "",
     "--resume RUN goes on with a run, --init-g FILE starts from a model"},
    {"load-iter", FALSE, "", "--resume RUN takes the newest state"},
    {"lab-colorization", TRUE, "", "images are RGB or grey"},
    {"separable-conv", TRUE, "", "there are no separable convolutions"},
    {"verbose", TRUE, NULL, "pix2pix info shows a network"},
    {0},
};

static gboolean is_one_of(const char *value, const char *words)
{
    g_auto(GStrv) list = g_strsplit(words, "|", -1);

    return value && g_strv_contains((const char *const *)list, value);
}

/* A GOptionArgFunc. */
static gboolean take(const char *option, const char *value, gpointer data, GError **error)
{
    const Stranger *stranger = data;

    while (strcmp(stranger->option, option + 2))
        stranger++;
    if (!stranger->only)
        command_print_error("note: %s means nothing here: %s", option, stranger->text);
    else if (!is_one_of(value, stranger->only)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "%s%s%s is not for this program: %s", option, value ? " " : "",
                    value ? value : "", stranger->text);
        return FALSE;
    }
    return TRUE;
}

GOptionGroup *strangers_group(const Stranger *strangers)
{
    GOptionGroup *group = g_option_group_new("strangers", "", "", (gpointer)strangers, NULL);

    for (; strangers->option; strangers++) {
        /* FILENAME keeps GLib from converting the value out of the locale's charset. */
        int how = strangers->flag ? G_OPTION_FLAG_NO_ARG : G_OPTION_FLAG_FILENAME;
        GOptionEntry entry[] = {
            {strangers->option, 0, G_OPTION_FLAG_HIDDEN | how, G_OPTION_ARG_CALLBACK, take, NULL,
             ""},
            {0},
        };
        g_option_group_add_entries(group, entry);
    }
    return group;
}
