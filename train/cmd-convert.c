/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * pix2pix convert: any checkpoint that the engine reads -> the native format.
 */
#include "calibrate.h"
#include "command.h"
#include "settings.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define USUAL_PSNR 40 /* dB: what is further from float32 can be seen */

/** Convert: the command line. */
typedef struct {
    char *precision_name, *calibrate, *split, *direction;
    double psnr; /* NaN where not given */
    CommandOptions options;
    PixPrecision precision; /* AUTO: as stored, and with a mix */
} Convert;

static void convert_clear(Convert *convert)
{
    g_free(convert->precision_name);
    g_free(convert->calibrate);
    g_free(convert->split);
    g_free(convert->direction);
    command_options_clear(&convert->options);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Convert, convert_clear)

/* ---- what the command line means ---- */

static gboolean choose_words(Convert *convert, GError **error)
{
    const char *name = convert->precision_name ? convert->precision_name : "fp32";
    const char *direction = convert->direction ? convert->direction : "AtoB";
    int precision = command_choose("--precision", name, command_precision, error);

    convert->precision = precision;
    return precision >= 0 && command_choose("--direction", direction,
                                            (const char *[]){"AtoB", "BtoA", NULL}, error) >= 0;
}

static int check_usage(const Command *command, Convert *convert)
{
    g_autoptr(GError) error = NULL;
    const CommandOptions *options = &convert->options;

    if (!choose_words(convert, &error))
        return command_misused(command, "%s", error->message);
    if (convert->calibrate && convert->precision != PIX_PRECISION_AUTO)
        return command_misused(command, "--calibrate belongs to --precision auto");
    if (!convert->calibrate && convert->precision == PIX_PRECISION_AUTO)
        return command_misused(command, "--precision auto takes --calibrate DATASET");
    if (!convert->calibrate && (convert->split || convert->direction || !isnan(convert->psnr) ||
                                options->device || options->threads))
        return command_misused(command, "--split, --direction, --psnr, --device and --threads "
                                        "belong to --calibrate");
    if (isnan(convert->psnr))
        convert->psnr = USUAL_PSNR;
    if (convert->psnr < 1 || convert->psnr > 100)
        return command_misused(command, "--psnr takes decibels from 1 to 100, not %g",
                               convert->psnr);
    return COMMAND_CONTINUE;
}

/* ---- the work ---- */

/* Whether @file is of a run that learnt from B to A; other files do not tell. */
static gboolean has_learnt_b_to_a(const char *file)
{
    g_autofree char *folder = g_path_get_dirname(file);
    g_autofree char *config = g_build_filename(folder, "config.json", NULL);
    g_auto(Settings) settings;

    settings_init(&settings);
    return settings_read(&settings, config, NULL) && settings.direction;
}

static CalibrationSet *open_set(const Convert *convert, const PixModelInfo *info, const char *file,
                                GError **error)
{
    const char *direction = convert->direction;
    const CalibrationSetOptions options = {
        .folder = convert->calibrate,
        .split = convert->split,
        .pairs = direction != NULL,
        .b_to_a = direction ? direction[0] == 'B' : has_learnt_b_to_a(file),
    };

    if (!info->is_generator) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED,
                    "%s: this is a discriminator (%s); --calibrate needs a generator", file,
                    info->architecture);
        return NULL;
    }
    return calibration_set_open(&options, info, error);
}

/* Before the work, so that nobody waits for the wrong pictures. */
static void print_set(const CalibrationSet *set)
{
    g_autofree char *text = calibration_set_describe(set);
    g_autofree char *shown = command_show(text);
    const Dataset *pairs = calibration_set_get_pairs(set);

    for (guint i = 0; pairs && i < dataset_get_notes(pairs)->len; i++)
        command_print_error("note: %s", (char *)dataset_get_notes(pairs)->pdata[i]);
    for (guint i = 0; pairs && i < dataset_get_problems(pairs)->len; i++)
        command_print_error("left out: %s", (char *)dataset_get_problems(pairs)->pdata[i]);
    puts(shown);
    fflush(stdout);
}

static void print_mix(const Calibrated *calibrated)
{
    int width = (int)strlen("whole network");

    for (guint i = 0; i < calibrated->n; i++)
        width = MAX(width, (int)strlen(calibrated->names[i]));
    printf("%-*s  precision  ms in fp32         ms\n", width, "layer");
    for (guint i = 0; i < calibrated->n; i++)
        printf("%-*s  %-9s %11.3f %10.3f\n", width, calibrated->names[i],
               pix_precision_name(calibrated->mix[i]), calibrated->exact_ms[i],
               calibrated->mix_ms[i]);
    printf("%-*s  %-9s %11.3f %10.3f\n", width, "whole network", "auto",
           calibrated->exact_network_ms, calibrated->mix_network_ms);
    printf("%.2f dB from fp32, the worst of %u pictures\n", calibrated->psnr, calibrated->pictures);
}

/* Finds the mix that suits this machine, prints it, and gives it to @checkpoint; or takes away the one
 * that it has, which is another machine's. */
static gboolean add_mix(const Convert *convert, PixCheckpoint *checkpoint, const char *file,
                        GError **error)
{
    const CommandOptions *options = &convert->options;
    g_auto(Calibrated) found = {0};
    g_autoptr(CalibrationSet) set =
        open_set(convert, pix_checkpoint_get_info(checkpoint), file, error);
    g_autoptr(PixDevice) device =
        set ? command_open_device(options->device ? options->device : "cpu", options->threads,
                                  error)
            : NULL;
    g_autoptr(PixModel) model =
        device ? pix_model_new(device, checkpoint, PIX_PRECISION_FP32, error) : NULL;

    if (!model)
        return FALSE;
    print_set(set);
    if (!calibrate(model, checkpoint, set, convert->psnr, &found, error)) {
        if (g_error_matches(*error, PIX_ERROR, PIX_ERROR_BAD_CHECKPOINT))
            g_prefix_error(error, "%s: ", file);
        return FALSE;
    }
    if (found.mix)
        print_mix(&found);
    else
        printf("fp32 stays: no mix of precisions is faster here and keeps %g dB of PSNR\n",
               convert->psnr);
    pix_checkpoint_set_mix(checkpoint, found.mix, found.psnr, found.pictures);
    return TRUE;
}

/* As pix_checkpoint_save() does it. */
static gboolean loses_mix(const PixModelInfo *info, PixPrecision precision)
{
    return info->mix && precision != PIX_PRECISION_FP32 && precision != info->precision;
}

static void print_result(PixCheckpoint *checkpoint, const char *file, PixPrecision precision)
{
    const PixModelInfo *info = pix_checkpoint_get_info(checkpoint);
    g_autofree char *shown = command_show(file);
    GStatBuf written = {0};

    g_stat(file, &written);
    printf("%s: %s, %.1f M parameters, %s, %.1f MB\n", shown, info->architecture,
           info->parameters / 1e6, command_precision[precision], written.st_size / 1e6);
    for (const char *const *note = pix_checkpoint_get_notes(checkpoint); note && *note; note++) {
        g_autofree char *line = command_show(*note);
        printf("note: %s\n", line);
    }
    if (loses_mix(info, precision))
        puts("note: the mix of precisions belongs to the weights as they were and is left out, "
             "find another with --precision auto");
}

static int run_convert(const Convert *convert, char **files)
{
    const char *const inputs[] = {files[0], NULL};
    PixPrecision precision = convert->precision;
    GError *error = NULL;

    if (!command_check_output(files[1], inputs, &error))
        return command_fail(error);
    g_autoptr(PixCheckpoint) checkpoint =
        pix_checkpoint_open(files[0], convert->options.domain, &error);
    if (!checkpoint || (convert->calibrate && !add_mix(convert, checkpoint, files[0], &error))) {
        int status = command_fail(error);
        return command_interrupted() ? command_interrupted() : status;
    }
    if (precision == PIX_PRECISION_AUTO)
        precision = pix_checkpoint_get_info(checkpoint)->precision;
    if (!pix_checkpoint_save(checkpoint, files[1], precision, &error))
        return command_fail(error);
    print_result(checkpoint, files[1], precision);
    return command_interrupted();
}

static int run(const Command *command, int argc, char **argv)
{
    g_auto(Convert) convert = {.psnr = NAN};
    const GOptionArg text = G_OPTION_ARG_FILENAME;
    const GOptionEntry entries[] = {
        {"precision", 0, 0, text, &convert.precision_name,
         "How the convolution weights are stored (fp32); auto: as in IN, with a precision for the "
         "products of each layer",
         "fp32|fp16|bf16|int8|auto"},
        {"calibrate", 0, 0, text, &convert.calibrate,
         "With --precision auto: pictures to find those precisions with", "DATASET"},
        {"split", 0, 0, text, &convert.split, "Which folder of DATASET has its pairs (val)",
         "NAME"},
        {"direction", 0, 0, text, &convert.direction,
         "Which half of a pair is the input: AtoB the left, BtoA the right (that of the run that "
         "IN "
         "lies in, else AtoB)",
         "AtoB|BtoA"},
        {"psnr", 0, 0, G_OPTION_ARG_DOUBLE, &convert.psnr,
         "How close every output stays to that of fp32 (40)", "DB"},
        {0},
    };
    g_auto(GStrv) files = NULL;
    int status = command_parse(command, entries, COMMAND_OPTION_DOMAIN | COMMAND_OPTION_DEVICE,
                               &convert.options, argc, argv, &files);

    if (status == COMMAND_CONTINUE)
        status = check_usage(command, &convert);
    return status == COMMAND_CONTINUE ? run_convert(&convert, files) : status;
}

const Command command_convert = {
    .name = "convert",
    .arguments = "IN OUT.safetensors",
    .summary = "Converts a checkpoint to the native format",
    .description =
        "IN is a .safetensors, PyTorch .pth or .pict file. OUT is whole or untouched: an "
        "interrupt\n"
        "lets it be finished first, which can take seconds, but ends --calibrate without it; a "
        "second\n"
        "one stops at once and leaves nothing behind.\n"
        "\n"
        "--precision auto measures on this machine's CPU how long each layer takes in fp32, bf16\n"
        "and int8 and how far that moves the outputs, and keeps in OUT the fastest mix whose "
        "worst\n"
        "output on all of DATASET has at least --psnr DB against fp32. It is what --precision "
        "auto\n"
        "of other commands and the element's precision=auto then mean on a CPU, at each layer that "
        "is\n"
        "estimated to be faster so on that CPU. Where no mix is faster, OUT\n"
        "has none. Pictures in DATASET itself are inputs; otherwise it holds pairs A|B in\n"
        "DATASET/SPLIT, as for pix2pix test --data. Converting OUT to fewer bits leaves the mix "
        "out:\n"
        "do that first.",
    .min_arguments = 2,
    .max_arguments = 2,
    .run = run,
};
