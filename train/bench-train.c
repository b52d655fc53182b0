/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How long a step of training takes, and which layer takes it, forward and back: the very step that
 * pix2pix train runs, on noise.
 */
#include "bench-train.h"

#include <stdio.h>

#include "bench-report.h"
#include "median.h"
#include "report-json.h"
#include "step.h"

#define WARM_UP 2 /* steps: moments and gradients come into memory */
#define TIMED 2   /* steps whose layers are timed one by one, where that takes steps of their own */

typedef struct {
    const BenchTrain *bench;
    Settings settings;
    PixDevice *device;
    Step *step;
    Batch batch;
    guint64 number;            /* of steps so far */
    int steps;                 /* measured */
    int layer_steps;           /* of which layers are the sum */
    double submissions, waits; /* a step; 0 on the CPU */
    double median_ms, min_ms;
    GArray *layers;
    BenchPeak peak;
} Run;

static float *noise(gsize count, guint32 state)
{
    float *values = g_new(float, count);

    for (gsize i = 0; i < count; i++) {
        state = state * 1664525 + 1013904223;
        values[i] = (float)(state >> 8) / (1 << 23) - 1;
    }
    return values;
}

static gboolean set_number(Settings *settings, const char *name, int value, const char *option,
                           GError **error)
{
    g_autofree char *text = g_strdup_printf("%d", value);

    return settings_set(settings, name, option, text, error);
}

static gboolean make_settings(Run *run, const CommandOptions *options, GError **error)
{
    const BenchTrain *bench = run->bench;
    g_autofree char *size = options->width
                                ? g_strdup_printf("%dx%d", options->width, options->height)
                                : g_strdup("256x256");

    settings_init(&run->settings);
    return (!bench->net_g ||
            settings_set(&run->settings, "net_g", "--net-g", bench->net_g, error)) &&
           settings_set(&run->settings, "crop_size", "--size", size, error) &&
           set_number(&run->settings, "ngf", bench->filters, "--ngf", error) &&
           set_number(&run->settings, "ndf", bench->filters, "--ngf", error) &&
           set_number(&run->settings, "batch_size", bench->batch_size, "--batch-size", error);
}

static gboolean make_step(Run *run, const CommandOptions *options, GError **error)
{
    const char *const files[STEP_MAX_NETWORKS] = {NULL};
    const Settings *s = &run->settings;
    gsize pixels = (gsize)s->crop_size.width * s->crop_size.height * s->batch_size;

    run->device = command_open_device(options->device, options->threads, error);
    if (!run->device)
        return FALSE;
    run->step = step_pix2pix.make(run->device, &run->settings, files, error);
    if (!run->step || !step_pix2pix.reserve(run->step, s->batch_size, s->crop_size.width,
                                            s->crop_size.height, error))
        return FALSE;
    run->batch.n = s->batch_size;
    run->batch.width = s->crop_size.width;
    run->batch.height = s->crop_size.height;
    run->batch.in = noise(pixels * s->input_nc, 1);
    run->batch.out = noise(pixels * s->output_nc, 2);
    return TRUE;
}

static void clear_layers(Run *run)
{
    StepPass passes[STEP_MAX_PASSES];
    int n = step_pix2pix.get_passes(run->step, passes);

    for (int i = 0; i < n; i++)
        pix_pass_clear_layers(passes[i].pass);
}

/* Sums over several steps become means of one. */
static void take_layers(Run *run, const StepPass *pass, gboolean backward)
{
    guint n_layers, n = run->layer_steps;
    const PixLayerTime *times = pix_pass_get_layers(pass->pass, backward, &n_layers);

    for (guint i = 0; i < n_layers; i++) {
        PixLayerTime mean = times[i];
        mean.flops /= n;
        mean.bytes /= n;
        mean.dispatches /= n;
        mean.read_bytes /= n;
        mean.written_bytes /= n;
        bench_add_layer(
            run->layers, &mean, mean.ms / n,
            g_strdup_printf("%s %s %s", pass->name, backward ? "back" : "forward", mean.name));
    }
}

static gboolean run_step(Run *run, double *ms, GError **error)
{
    const StepTurn turn = {.number = ++run->number,
                           .parts = 1,
                           .learning_rate = run->settings.learning_rate,
                           .learning_rate_d = run->settings.learning_rate};
    double losses[STEP_MAX_LOSSES];
    gint64 before = g_get_monotonic_time();
    gboolean done = step_pix2pix.run(run->step, &run->batch, &turn, losses, error);

    *ms = (g_get_monotonic_time() - before) / 1e3;
    return done;
}

/* A device that does a step in one go has no times of layers until somebody waits for each. */
static gboolean time_layers(Run *run, GError **error)
{
    StepPass passes[STEP_MAX_PASSES];
    int n = step_pix2pix.get_passes(run->step, passes);
    double ms;

    for (int i = 0; i < n; i++)
        pix_pass_time_layers(passes[i].pass, TRUE);
    for (int i = -1; i < TIMED; i++) {
        if (i == 0)
            clear_layers(run);
        if (!run_step(run, &ms, error))
            return FALSE;
    }
    run->layer_steps = TIMED;
    return TRUE;
}

static gboolean measure_steps(Run *run, GError **error)
{
    g_autofree double *ms = g_new(double, run->bench->steps);
    guint64 submissions[2], waits[2];

    for (int i = 0; i < WARM_UP; i++) {
        if (!run_step(run, ms, error))
            return FALSE;
    }
    clear_layers(run);
    pix_device_get_work(run->device, &submissions[0], &waits[0]);
    do {
        if (!run_step(run, &ms[run->steps], error))
            return FALSE;
    } while (++run->steps < run->bench->steps && !command_interrupted());
    pix_device_get_work(run->device, &submissions[1], &waits[1]);
    run->submissions = (double)(submissions[1] - submissions[0]) / run->steps;
    run->waits = (double)(waits[1] - waits[0]) / run->steps;
    run->median_ms = median_of(ms, run->steps);
    run->min_ms = ms[0];
    run->layer_steps = run->steps;
    return TRUE;
}

static gboolean measure(Run *run, GError **error)
{
    StepPass passes[STEP_MAX_PASSES];

    if (!measure_steps(run, error) || (run->submissions > 0 && !time_layers(run, error)))
        return FALSE;
    int n = step_pix2pix.get_passes(run->step, passes);
    for (int i = 0; i < n; i++) {
        take_layers(run, &passes[i], FALSE);
        take_layers(run, &passes[i], TRUE);
    }
    return TRUE;
}

static guint64 network_bytes(const Run *run)
{
    guint64 bytes = 0;

    for (int i = 0; i < run->step->n_networks; i++)
        bytes += pix_network_get_bytes(run->step->networks[i].network);
    return bytes;
}

static double images_per_second(const Run *run)
{
    return run->batch.n * 1e3 / run->median_ms;
}

static void print_table(const Run *run)
{
    const PixDeviceInfo *device = pix_device_get_info(run->device);
    const Settings *s = &run->settings;

    printf("a step of %s and its discriminator, %d filters, batch %d at %dx%d, on %s (%s)\n\n",
           s->net_g, (int)s->ngf, run->batch.n, run->batch.width, run->batch.height, device->name,
           device->features);
    bench_print_layers(run->layers, &run->peak);
    printf("median  %.1f ms a step, %.2f images/s\n", run->median_ms, images_per_second(run));
    printf("fastest %.1f ms of %d steps, after %d to warm up\n", run->min_ms, run->steps, WARM_UP);
    if (run->submissions == 0)
        printf("outside the layers %.1f ms: losses, the optimiser, copies\n",
               run->median_ms - bench_sum_layers(run->layers).ms);
    else
        printf("a step is handed over in %.1f submissions and waited for %.1f times; the times of\n"
               "layers are those of other steps, which were waited for layer by layer\n",
               run->submissions, run->waits);
    printf("memory  %.1f MB of weights, gradients and moments, %.1f MB for batches\n",
           network_bytes(run) / 1e6, step_pix2pix.get_bytes(run->step) / 1e6);
    bench_print_peak(&run->peak);
}

static void print_json(const Run *run)
{
    const PixDeviceInfo *device = pix_device_get_info(run->device);
    const Settings *s = &run->settings;
    g_autoptr(JsonBuilder) builder = json_builder_new();

    json_builder_begin_object(builder);
    report_json_string(builder, "net_g", s->net_g);
    report_json_int(builder, "ngf", s->ngf);
    report_json_int(builder, "ndf", s->ndf);
    report_json_int(builder, "batch_size", run->batch.n);
    report_json_int(builder, "width", run->batch.width);
    report_json_int(builder, "height", run->batch.height);
    json_builder_set_member_name(builder, "device");
    json_builder_begin_object(builder);
    report_json_device(builder, device);
    json_builder_end_object(builder);
    report_json_int(builder, "threads", device->threads);
    report_json_string(builder, "level", device->level);
    report_json_int(builder, "steps", run->steps);
    report_json_number(builder, "median_ms", run->median_ms);
    report_json_number(builder, "min_ms", run->min_ms);
    report_json_number(builder, "images_per_s", images_per_second(run));
    report_json_number(builder, "submissions", run->submissions);
    report_json_number(builder, "waits", run->waits);
    report_json_int(builder, "network_bytes", network_bytes(run));
    report_json_int(builder, "batch_bytes", step_pix2pix.get_bytes(run->step));
    bench_json_layers(builder, run->layers, &run->peak);
    json_builder_end_object(builder);
    report_json_print(builder);
}

static void clear(Run *run)
{
    if (run->step)
        step_pix2pix.free(run->step);
    pix_device_unref(run->device);
    settings_clear(&run->settings);
    g_array_unref(run->layers);
    g_free((float *)run->batch.in);
    g_free((float *)run->batch.out);
}

int bench_train_run(const Command *command, const CommandOptions *options, const BenchTrain *bench)
{
    Run run = {.bench = bench, .layers = bench_layers_new()};
    GError *error = NULL;
    int status = COMMAND_DONE;

    if (!make_settings(&run, options, &error)) {
        status = command_misused(command, "%s", error->message);
        g_error_free(error);
    } else if (!make_step(&run, options, &error)) {
        status = command_fail(error);
    } else {
        if (!bench_measure_peak(run.device, &run.peak, &error) || !measure(&run, &error))
            status = command_fail(error);
        else if (bench->json)
            print_json(&run);
        else
            print_table(&run);
    }
    clear(&run);
    return status == COMMAND_DONE ? command_interrupted() : status;
}
