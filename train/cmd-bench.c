/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * pix2pix bench: how long a frame takes and which layer of the network takes it.
 */
#include "command.h"
#include "peak.h"
#include "report-json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARM_UP 3 /* frames: caches, page faults, the clock of the processor */
#define MAX_FRAMES 100000

/* One measured layer, from the frames' medians. */
typedef struct {
    const char *name, *algorithm;
    double ms, flops, bytes;
} Layer;

typedef struct {
    int frames;
    double median_ms, min_ms, pack_ms, network_ms, unpack_ms, layers_ms;
    unsigned peak_threads;
    const char *peak_level;
    double peak_gflops;
    guint n_layers;
    Layer *layers;
} Result;

static int compare_doubles(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;

    return difference < 0 ? -1 : difference > 0;
}

/* Sorts @values. */
static double median(double *values, int n)
{
    qsort(values, n, sizeof(*values), compare_doubles);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

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
        if (!layers)
            layers = g_new(double, (gsize)frames * times->n_layers + 1);
        for (guint l = 0; l < times->n_layers; l++)
            layers[(gsize)l * frames + i] = times->layers[l].ms;
        done++;
    }

    result->frames = done;
    result->median_ms = median(total, done);
    result->min_ms = total[0];
    result->pack_ms = median(pack, done);
    result->network_ms = median(network, done);
    result->unpack_ms = median(unpack, done);
    result->n_layers = times->n_layers;
    result->layers = g_new0(Layer, times->n_layers + 1);
    for (guint l = 0; l < times->n_layers; l++) {
        Layer *layer = &result->layers[l];
        layer->name = times->layers[l].name;
        layer->algorithm = times->layers[l].algorithm;
        layer->flops = times->layers[l].flops;
        layer->bytes = times->layers[l].bytes;
        layer->ms = median(&layers[(gsize)l * frames], done);
        result->layers_ms += layer->ms;
    }
    return TRUE;
}

/* 10^9 a second of something that happens @count times in @ms. */
static double rate(double count, double ms)
{
    return ms > 0 ? count / ms / 1e6 : 0;
}

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static void print_table(const Result *result, PixModel *model, const CommandOptions *options,
                        PixSession *session)
{
    const PixModelInfo *info = pix_model_get_info(model);
    const PixDeviceInfo *device = pix_device_get_info(pix_model_get_device(model));
    int name_width = 5, algorithm_width = 9;
    double flops = 0, bytes = 0;

    printf("%s at %dx%d, %s statistics, fp32, on %s (%s)\n\n", info->architecture, options->width,
           options->height, command_statistics[options->statistics], device->name,
           device->features);
    for (guint i = 0; i < result->n_layers; i++) {
        name_width = MAX(name_width, (int)strlen(result->layers[i].name));
        algorithm_width = MAX(algorithm_width, (int)strlen(result->layers[i].algorithm));
    }
    printf("%-*s  %-*s %9s %8s %9s %8s %8s\n", name_width, "layer", algorithm_width, "algorithm",
           "ms", "of time", "GFLOP/s", "of peak", "GB/s");
    for (guint i = 0; i < result->n_layers; i++) {
        const Layer *layer = &result->layers[i];
        double gflops = rate(layer->flops, layer->ms);
        printf("%-*s  %-*s %9.3f %7.1f%% %9.1f %7.1f%% %8.1f\n", name_width, layer->name,
               algorithm_width, layer->algorithm, layer->ms,
               100 * share(layer->ms, result->layers_ms), gflops,
               100 * share(gflops, result->peak_gflops), rate(layer->bytes, layer->ms));
        flops += layer->flops;
        bytes += layer->bytes;
    }
    double gflops = rate(flops, result->layers_ms);
    printf("%-*s  %-*s %9.3f %7.1f%% %9.1f %7.1f%% %8.1f\n\n", name_width, "all layers",
           algorithm_width, "", result->layers_ms, 100.0, gflops,
           100 * share(gflops, result->peak_gflops), rate(bytes, result->layers_ms));

    printf("median  %.2f ms a frame, %.1f frames/s\n", result->median_ms, 1e3 / result->median_ms);
    printf("fastest %.2f ms of %d frames, after %d to warm up\n", result->min_ms, result->frames,
           WARM_UP);
    printf("stages  pixels in %.2f ms, network %.2f ms, pixels out %.2f ms\n", result->pack_ms,
           result->network_ms, result->unpack_ms);
    printf("memory  %.1f MB of weights, %.1f MB for frames\n", info->weight_bytes / 1e6,
           pix_session_get_bytes(session) / 1e6);
    printf("peak    %.0f GFLOP/s of float32 multiply-adds on %u %s with %s, measured just now\n",
           result->peak_gflops, result->peak_threads,
           result->peak_threads == 1 ? "thread" : "threads", result->peak_level);
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
    report_json_string(builder, "precision", "fp32");
    report_json_string(builder, "norm_statistics", command_statistics[options->statistics]);
    report_json_string(builder, "dropout", command_dropout[options->dropout]);
    report_json_int(builder, "frames", result->frames);
    report_json_number(builder, "median_ms", result->median_ms);
    report_json_number(builder, "min_ms", result->min_ms);
    report_json_number(builder, "pack_ms", result->pack_ms);
    report_json_number(builder, "network_ms", result->network_ms);
    report_json_number(builder, "unpack_ms", result->unpack_ms);
    report_json_int(builder, "session_bytes", pix_session_get_bytes(session));
    report_json_int(builder, "peak_threads", result->peak_threads);
    report_json_string(builder, "peak_level", result->peak_level);
    report_json_number(builder, "peak_gflops", result->peak_gflops);
    json_builder_set_member_name(builder, "layers");
    json_builder_begin_array(builder);
    for (guint i = 0; i < result->n_layers; i++) {
        const Layer *layer = &result->layers[i];
        double gflops = rate(layer->flops, layer->ms);
        json_builder_begin_object(builder);
        report_json_string(builder, "name", layer->name);
        report_json_string(builder, "algorithm", layer->algorithm);
        report_json_number(builder, "ms", layer->ms);
        report_json_number(builder, "flops", layer->flops);
        report_json_number(builder, "bytes", layer->bytes);
        report_json_number(builder, "gflops", gflops);
        report_json_number(builder, "share_of_peak", share(gflops, result->peak_gflops));
        report_json_number(builder, "share_of_time", share(layer->ms, result->layers_ms));
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    report_json_print(builder);
}

static int run(const Command *command, int argc, char **argv)
{
    int frames = 30;
    gboolean json = FALSE;
    const GOptionEntry entries[] = {
        {"frames", 0, 0, G_OPTION_ARG_INT, &frames, "How many to measure (30)", "N"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Write JSON", NULL},
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
    if (frames < 1 || frames > MAX_FRAMES)
        return command_misused(command, "--frames takes a number from 1 to %d, not %d", MAX_FRAMES,
                               frames);
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
    const PixDeviceInfo *device = pix_device_get_info(pix_model_get_device(model));
    Result result = {
        .frames = frames,
        .peak_threads = MAX(device->threads, 1),
        .peak_level = peak_choose_level(device->level),
    };
    result.peak_gflops = peak_measure_gflops(result.peak_threads, result.peak_level);
    gboolean measured = measure(session, &in, &out, &result, &error);
    if (measured && json)
        print_json(&result, model, &options, session);
    else if (measured)
        print_table(&result, model, &options, session);
    g_free(result.layers);
    g_free(in.data);
    g_free(out.data);
    return measured ? command_interrupted() : command_fail(error);
}

const Command command_bench = {
    .name = "bench",
    .arguments = "MODEL",
    .summary = "Measures how long a frame takes, layer by layer",
    .description =
        "MODEL is a checkpoint, or the name of a model. Times are medians. The share of peak\n"
        "counts the multiply-adds of the plain convolution: algorithms that need fewer of them\n"
        "can come out above 100 %. The peak is that of the threads and the CPU level in use; for\n"
        "c and openblas that of the CPU's best level.",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
