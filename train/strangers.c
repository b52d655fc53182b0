/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "strangers.h"

#include "command.h"

#include <string.h>

const Stranger strangers_train[] = {
    {"gpu-ids", FALSE, NULL, "--device chooses the processor"},
    {"gpu", FALSE, NULL, "--device chooses the processor"},
    {"use-gpu", FALSE, NULL, "--device chooses the processor"},
    {"cudnn", FALSE, NULL, "--device chooses the processor"},
    {"display", FALSE, NULL, "RUN/index.html shows the run"},
    {"display-id", FALSE, NULL, "RUN/index.html shows the run"},
    {"display-winsize", FALSE, NULL, "RUN/index.html shows the run"},
    {"display-ncols", FALSE, NULL, "RUN/index.html shows the run"},
    {"display-single-pane-ncols", FALSE, NULL, "RUN/index.html shows the run"},
    {"display-plot", FALSE, NULL, "RUN/index.html shows every loss"},
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
    {"aspect-ratio", FALSE, "1|1.0", "--load-size takes WIDTHxHEIGHT"},
    {"output-filetype", FALSE, "png", "pictures are PNG"},
    {"continue-train", TRUE, "",
     "--resume RUN goes on with a run, --init-g FILE starts from a model"},
    {"load-iter", FALSE, "0",
     "--resume RUN takes the newest state, --init-g FILE starts from a model"},
    {"epoch", FALSE, "latest",
     "--resume RUN takes the newest state, --init-g FILE starts from a model"},
    {"which-epoch", FALSE, "latest",
     "--resume RUN takes the newest state, --init-g FILE starts from a model"},
    {"serial-batch-iter", FALSE, "1", "--serial-batches begins with the first pair"},
    {"use-GAN", FALSE, "1", "--no-gan leaves the discriminator out"},
    {"use-L1", FALSE, "1", "--no-l1 leaves the distance out"},
    {"lab-colorization", TRUE, "", "images are RGB or grey"},
    {"separable-conv", TRUE, "", "there are no separable convolutions"},
    {"verbose", TRUE, NULL, "pix2pix info shows a network"},
    {0},
};

const Stranger strangers_test[] = {
    {"gpu-ids", FALSE, NULL, "--device chooses the processor"},
    {"gpu", FALSE, NULL, "--device chooses the processor"},
    {"use-gpu", FALSE, NULL, "--device chooses the processor"},
    {"cudnn", FALSE, NULL, "--device chooses the processor"},
    {"netG", FALSE, NULL, "the file says what the network is"},
    {"netD", FALSE, NULL, "the file says what the network is"},
    {"which-model-netG", FALSE, NULL, "the file says what the network is"},
    {"which-model-netD", FALSE, NULL, "the file says what the network is"},
    {"n-layers-D", FALSE, NULL, "the file says what the network is"},
    {"ngf", FALSE, NULL, "the file says what the network is"},
    {"ndf", FALSE, NULL, "the file says what the network is"},
    {"norm", FALSE, NULL, "the file says what the network is"},
    {"input-nc", FALSE, NULL, "the file says what the network is"},
    {"output-nc", FALSE, NULL, "the file says what the network is"},
    {"channels", FALSE, NULL, "the file says what the network is"},
    {"init-type", FALSE, NULL, "the file says what the network is"},
    {"init-gain", FALSE, NULL, "the file says what the network is"},
    {"separable-conv", TRUE, NULL, "the file says what the network is"},
    {"num-threads", FALSE, NULL, "pictures are read one by one"},
    {"nThreads", FALSE, NULL, "pictures are read one by one"},
    {"batch-size", FALSE, NULL, "pictures are translated one by one"},
    {"batchSize", FALSE, NULL, "pictures are translated one by one"},
    {"serial-batches", TRUE, NULL, "pairs are taken in the order of their names"},
    {"no-flip", TRUE, NULL, "nothing is flipped"},
    {"flip", TRUE, "", "nothing is flipped"},
    {"use-wandb", TRUE, NULL, "DIR/index.html shows the pictures"},
    {"wandb-project-name", FALSE, NULL, "DIR/index.html shows the pictures"},
    {"display", FALSE, NULL, "DIR/index.html shows the pictures"},
    {"display-id", FALSE, NULL, "DIR/index.html shows the pictures"},
    {"display-winsize", FALSE, NULL, "DIR/index.html shows the pictures"},
    {"verbose", TRUE, NULL, "pix2pix info shows a network"},
    {"load-size", FALSE, "", "--size WIDTHxHEIGHT is that of the network's input"},
    {"loadSize", FALSE, "", "--size WIDTHxHEIGHT is that of the network's input"},
    {"scale-size", FALSE, "", "--size WIDTHxHEIGHT is that of the network's input"},
    {"crop-size", FALSE, "", "--size WIDTHxHEIGHT is that of the network's input"},
    {"fineSize", FALSE, "", "--size WIDTHxHEIGHT is that of the network's input"},
    {"width", FALSE, "", "--size WIDTHxHEIGHT is that of the network's input"},
    {"height", FALSE, "", "--size WIDTHxHEIGHT is that of the network's input"},
    {"preprocess", FALSE, "resize_and_crop|regular", "--fit native leaves pictures as they are"},
    {"resize-or-crop", FALSE, "resize_and_crop", "--fit native leaves pictures as they are"},
    {"aspect-ratio", FALSE, "1|1.0", "IMAGES keep theirs, and pairs are as the network sees them"},
    {"output-filetype", FALSE, "png", "pictures are PNG"},
    {"lab-colorization", TRUE, "", "images are RGB or grey"},
    {"model", FALSE, "pix2pix", "IMAGES behind MODEL are translated without targets"},
    {"dataset-mode", FALSE, "aligned", "IMAGES behind MODEL are translated without targets"},
    {"mode", FALSE, "test", "see pix2pix train and pix2pix convert"},
    {"load-iter", FALSE, "0", "give that file as MODEL"},
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
