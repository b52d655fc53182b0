/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * pix2pix convert: any checkpoint that the engine reads -> the native format.
 */
#include "command.h"

#include <glib/gstdio.h>
#include <stdio.h>

static int run(const Command *command, int argc, char **argv)
{
    g_autofree char *precision_name = NULL;
    const GOptionEntry entries[] = {
        {"precision", 0, 0, G_OPTION_ARG_FILENAME, &precision_name,
         "How the convolution weights are stored (fp32)", "fp32|fp16|bf16|int8"},
        {0},
    };
    g_auto(CommandOptions) options = {0};
    g_auto(GStrv) files = NULL;
    GError *error = NULL;
    int status =
        command_parse(command, entries, COMMAND_OPTION_DOMAIN, &options, argc, argv, &files);

    if (status != COMMAND_CONTINUE)
        return status;
    const char *const *choices = command_precision + PIX_PRECISION_FP32; /* not AUTO */
    int choice =
        precision_name ? command_choose("--precision", precision_name, choices, &error) : 0;
    PixPrecision precision = PIX_PRECISION_FP32 + choice;
    if (choice < 0) {
        status = command_misused(command, "%s", error->message);
        g_error_free(error);
        return status;
    }

    const char *const inputs[] = {files[0], NULL};
    if (!command_check_output(files[1], inputs, &error))
        return command_fail(error);
    g_autoptr(PixCheckpoint) checkpoint = pix_checkpoint_open(files[0], options.domain, &error);
    if (!checkpoint || !pix_checkpoint_save(checkpoint, files[1], precision, &error))
        return command_fail(error);

    const PixModelInfo *info = pix_checkpoint_get_info(checkpoint);
    g_autofree char *shown = command_show(files[1]);
    GStatBuf written = {0};
    g_stat(files[1], &written);
    printf("%s: %s, %.1f M parameters, %s, %.1f MB\n", shown, info->architecture,
           info->parameters / 1e6, command_precision[precision], written.st_size / 1e6);
    for (const char *const *note = pix_checkpoint_get_notes(checkpoint); note && *note; note++) {
        g_autofree char *line = command_show(*note);
        printf("note: %s\n", line);
    }
    return command_interrupted();
}

const Command command_convert = {
    .name = "convert",
    .arguments = "IN OUT.safetensors",
    .summary = "Converts a checkpoint to the native format",
    .description =
        "IN is a .safetensors, PyTorch .pth or .pict file. OUT is whole or untouched: an "
        "interrupt\n"
        "lets it be finished first, which can take seconds; a second one stops at once and leaves\n"
        "nothing behind.",
    .min_arguments = 2,
    .max_arguments = 2,
    .run = run,
};
