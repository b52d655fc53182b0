/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * pix2pix bench: how long a frame takes and which layer of the network takes it.
 */
#include "bench-report.h"
#include "bench-train.h"
#include "command.h"
#include "median.h"
#include "report-json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARM_UP 3 /* frames: caches, page faults, the clock of the processor */
#define MAX_FRAMES 100000

typedef struct {
    int frames;
    double median_ms, min_ms, pack_ms, network_ms, unpack_ms;
    GArray *layers;
    BenchPeak peak;
} Result;

/* A frame of seeded noise: flat pictures would be kinder to caches and denormals than real ones. */
static PixImage noise_image(int width, int height, int channels)
{
    gsize bytes = (gsize)width * height * channels;
    guint32 state = 1;
    PixImage image = {
        .data = g_malloc(bytes),
        .stride = (gssize)width * channels,
        .width = width,
        .height = height,
        .pixel_bytes = channels,
        .channels = channels,
        .offset = {0, 1, 2, 3},
    };

    for (gsize i = 0; i < bytes; i++) {
        state = state * 1664525 + 1013904223;
        image.data[i] = state >> 24;
    }
    return image;
}

/* Runs the frames, fewer than asked for when interrupted. Returns: FALSE where one failed. */
static gboolean measure(PixSession *session, const PixImage *in, PixImage *out, Result *result,
                        GError **error)
{
    int frames = result->frames, done = 0;
    g_autofree double *total = g_new(double, frames), *pack = g_new(double, frames);
    g_autofree double *network = g_new(double, frames), *unpack = g_new(double, frames);
    g_autofree double *layers = NULL; /* layer by layer, all frames of one together */
    const PixTimes *times = pix_session_get_times(session);

    for (int i = -WARM_UP; i < frames && (i <= 0 || !command_interrupted()); i++) {
        gint64 before = g_get_monotonic_time();
        if (!pix_session_translate(session, in, out, error))
            return FALSE;
        if (i < 0)
            continue;
        total[i] = (g_get_monotonic_time() - before) / 1e3;
        times = pix_session_get_times(session);
        pack[i] = times->pack_ms;
        network[i] = times->network_ms;
        unpack[i] = times->unpack_ms;
        if (!pix_session_measure_layers(session, error))
            return FALSE;
        if (!layers)
            layers = g_new(double, (gsize)frames * times->n_layers + 1);
        for (guint l = 0; l < times->n_layers; l++)
            layers[(gsize)l * frames + i] = times->layers[l].ms;
        done++;
    }

    result->frames = done;
    result->median_ms = median_of(total, done);
    result->min_ms = total[0];
    result->pack_ms = median_of(pack, done);
    result->network_ms = median_of(network, done);
    result->unpack_ms = median_of(unpack, done);
    for (guint l = 0; l < times->n_layers; l++)
        bench_add_layer(result->layers, &times->layers[l],
                        median_of(&layers[(gsize)l * frames], done), NULL);
    return TRUE;
}

static void print_table(const Result *result, PixModel *model, const CommandOptions *options,
                        PixSession *session)
{
    const PixModelInfo *info = pix_model_get_info(model);
    const PixDeviceInfo *device = pix_device_get_info(pix_model_get_device(model));

    printf("%s at %dx%d, %s statistics, %s, on %s (%s)\n\n", info->architecture, options->width,
           options->height, command_statistics[options->statistics],
           pix_precision_name(pix_model_get_precision(model)), device->name, device->features);
    bench_print_layers(result->layers, &result->peak);
    printf("median  %.2f ms a frame, %.1f frames/s\n", result->median_ms, 1e3 / result->median_ms);
    printf("fastest %.2f ms of %d frames, after %d to warm up\n", result->min_ms, result->frames,
           WARM_UP);
    printf("stages  pixels in %.2f ms, network %.2f ms, pixels out %.2f ms\n", result->pack_ms,
           result->network_ms, result->unpack_ms);
    printf("memory  %.1f MB of weights, %.1f MB for frames\n", info->weight_bytes / 1e6,
           pix_session_get_bytes(session) / 1e6);
    bench_print_peak(&result->peak);
}

static void print_json(const Result *result, PixModel *model, const CommandOptions *options,
                       PixSession *session)
{
    const PixDeviceInfo *device = pix_device_get_info(pix_model_get_device(model));
    g_autofree char *size = g_strdup_printf("%dx%d", options->width, options->height);
    g_autoptr(JsonBuilder) builder = json_builder_new();

    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "model");
    json_builder_begin_object(builder);
    report_json_model(builder, pix_model_get_info(model));
    json_builder_end_object(builder);
    json_builder_set_member_name(builder, "device");
    json_builder_begin_object(builder);
    report_json_device(builder, device);
    json_builder_end_object(builder);
    report_json_int(builder, "threads", device->threads);
    report_json_string(builder, "level", device->level);
    report_json_string(builder, "size", size);
    report_json_int(builder, "width", options->width);
    report_json_int(builder, "height", options->height);
    report_json_string(builder, "precision", pix_precision_name(pix_model_get_precision(model)));
    report_json_string(builder, "norm_statistics", command_statistics[options->statistics]);
    report_json_string(builder, "dropout", command_dropout[options->dropout]);
    report_json_int(builder, "frames", result->frames);
    report_json_number(builder, "median_ms", result->median_ms);
    report_json_number(builder, "min_ms", result->min_ms);
    report_json_number(builder, "pack_ms", result->pack_ms);
    report_json_number(builder, "network_ms", result->network_ms);
    report_json_number(builder, "unpack_ms", result->unpack_ms);
    report_json_int(builder, "session_bytes", pix_session_get_bytes(session));
    bench_json_layers(builder, result->layers, &result->peak);
    json_builder_end_object(builder);
    report_json_print(builder);
}

static int run(const Command *command, int argc, char **argv)
{
    int frames = -1; /* not said */
    gboolean json = FALSE, train = FALSE;
    g_autofree char *net_g = NULL;
    BenchTrain bench = {.filters = 64, .batch_size = 1};
    const GOptionEntry entries[] = {
        {"frames", 0, 0, G_OPTION_ARG_INT, &frames, "How many frames or steps to measure (30, 8)",
         "N"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Write JSON", NULL},
        {"train", 0, 0, G_OPTION_ARG_NONE, &train, "Steps of pix2pix training instead of frames",
         NULL},
        {"net-g", 0, 0, G_OPTION_ARG_STRING, &net_g, "With --train: the generator (unet_256)",
         "NAME"},
        {"ngf", 0, 0, G_OPTION_ARG_INT, &bench.filters,
         "With --train: filters of the first layers (64)", "N"},
        {"batch-size", 0, 0, G_OPTION_ARG_INT, &bench.batch_size,
         "With --train: pairs in a batch (1)", "N"},
        {0},
    };
    CommandOptionFlags flags = COMMAND_OPTION_DOMAIN | COMMAND_OPTION_SIZE |
                               COMMAND_OPTION_STATISTICS | COMMAND_OPTION_DROPOUT |
                               COMMAND_OPTION_PRECISION | COMMAND_OPTION_DEVICE;
    g_auto(CommandOptions) options = {.dropout = PIX_DROPOUT_FROZEN};
    g_auto(GStrv) files = NULL;
    GError *error = NULL;
    int status = command_parse(command, entries, flags, &options, argc, argv, &files);

    if (status != COMMAND_CONTINUE)
        return status;
    if (frames != -1 && (frames < 1 || frames > MAX_FRAMES))
        return command_misused(command, "--frames takes a number from 1 to %d, not %d", MAX_FRAMES,
                               frames);
    if (train != !files[0])
        return command_misused(command,
                               train ? "--train makes its networks itself: leave out \"%s\""
                                     : "give a MODEL, or --train",
                               files[0]);
    if (train && options.precision > PIX_PRECISION_FP32)
        return command_misused(command, "--train computes in fp32 alone, not in %s",
                               command_precision[options.precision]);
    if (train) {
        bench.net_g = net_g;
        bench.steps = frames > 0 ? frames : 8;
        bench.json = json;
        return bench_train_run(command, &options, &bench);
    }
    g_autoptr(PixModel) model = command_load_model(files[0], &options, FALSE, &error);
    if (!model)
        return command_fail(error);

    const PixModelInfo *info = pix_model_get_info(model);
    if (info->in_channels > 4 || info->out_channels > 4) {
        command_print_error("%s: has %d channels in and %d out, and only networks with pictures of "
                            "up to 4 can be timed",
                            files[0], info->in_channels, info->out_channels);
        return COMMAND_FAILED;
    }
    PixSessionOptions session_options;
    pix_session_options_init(&session_options, model);
    if (options.width) {
        session_options.width = options.width;
        session_options.height = options.height;
    }
    if (options.statistics == PIX_STATISTICS_AUTO)
        options.statistics = info->statistics;
    session_options.statistics = options.statistics;
    session_options.dropout = options.dropout;
    session_options.seed = options.seed;
    options.width = session_options.width;
    options.height = session_options.height;
    g_autoptr(PixSession) session = pix_session_new(model, &session_options, &error);
    if (!session)
        return command_fail(error);

    PixImage in = noise_image(options.width, options.height, info->in_channels);
    PixImage out = noise_image(options.width, options.height, info->out_channels);
    Result result = {.frames = frames > 0 ? frames : 30, .layers = bench_layers_new()};
    gboolean measured = bench_measure_peak(pix_model_get_device(model), &result.peak, &error) &&
                        measure(session, &in, &out, &result, &error);
    if (measured && json)
        print_json(&result, model, &options, session);
    else if (measured)
        print_table(&result, model, &options, session);
    g_array_unref(result.layers);
    g_free(in.data);
    g_free(out.data);
    return measured ? command_interrupted() : command_fail(error);
}

const Command command_bench = {
    .name = "bench",
    .arguments = "MODEL|--train",
    .summary = "Measures how long a frame or a training step takes, layer by layer",
    .description =
        "MODEL is a checkpoint, or the name of a model. Times are medians; those of layers in\n"
        "--train are means, forward and back, over all that a step does with them. The shares of\n"
        "peak count the multiply-adds of the plain convolution, and as bytes the weights as they\n"
        "are read, inputs and outputs once: algorithms that need fewer multiply-adds or products\n"
        "of fewer bits, and layers that a cache holds, can come out above 100 %. The peak is that\n"
        "of the threads and the CPU level in use; for c and openblas that of the CPU's best\n"
        "level. For a GPU a second table says what it is asked for: the bytes that its shaders\n"
        "see, and as floor weights, inputs and outputs once; and the time that those bytes or its\n"
        "arithmetic take at least, whichever is longer.",
    .min_arguments = 0,
    .max_arguments = 1,
    .run = run,
};
