/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Looking at the generator from time to time: as it will be used, with the statistics of each image
 * and without dropout. Nothing here ends a run, and nothing here changes what it learns, except that
 * the policy plateau listens.
 */
#include "command.h"
#include "image-file.h"
#include "metrics.h"
#include "sampler.h"
#include "train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define METRICS_SEED 1 /* as pix2pix eval */

/* Tells and frees @error, unless it is NULL. */
static void tell(Train *train, GError *error)
{
    if (error)
        train_say(train, "%s", error->message);
    g_clear_error(&error);
}

/* Returns: (transfer full): the generator as people will use it: with --ema, that of the file. */
static PixModel *open_generator(Train *train, GError **error)
{
    if (train->settings.ema == 0)
        return pix_model_ref(pix_network_get_model(train->step->networks[0].network));
    if (!train_save_networks(train, "latest", FALSE, error))
        return NULL;
    g_autofree char *file = run_folder_file(train->folder, "latest.safetensors");
    return pix_model_load(train->device, file, NULL, PIX_PRECISION_AUTO, error);
}

static Sampler *open_sampler(Train *train, GError **error)
{
    const AugmentOptions augment = train_get_augment(train);
    g_autoptr(PixModel) model = open_generator(train, error);
    PixSessionOptions options;

    if (!model)
        return NULL;
    pix_session_options_init(&options, model);
    options.statistics = PIX_STATISTICS_FRAME;
    options.dropout = PIX_DROPOUT_OFF;
    return sampler_new(model, &augment, &options);
}

/* ---- validation ---- */

static double choose_metric(const Train *train, const MetricsResult *result)
{
    switch ((SettingsMetric)train->settings.metric) {
    case SETTINGS_METRIC_SWD:
        return result->swd;
    case SETTINGS_METRIC_L1:
        return result->l1;
    case SETTINGS_METRIC_PSNR:
        return result->psnr;
    case SETTINGS_METRIC_SSIM:
        return result->ssim;
    }
    g_assert_not_reached();
}

/* Keeps the generator, if it is the best so far; also where no value was ever known. */
static gboolean keep_best(Train *train, double value, gboolean higher)
{
    TrainState *state = &train->state;
    GError *error = NULL;

    if (!isnan(state->best) && !(higher ? value > state->best : value < state->best))
        return FALSE;
    train->best_failed = !train_save_networks(train, "best", FALSE, &error);
    if (train->best_failed && g_error_matches(error, PIX_ERROR, PIX_ERROR_BAD_CHECKPOINT)) {
        g_clear_error(&train->save_error); /* that ends the run, whose last save will tell */
        train->save_error = error;
        return FALSE;
    }
    if (train->best_failed) {
        tell(train, error);
        return FALSE;
    }
    state->best = value;
    state->best_step = state->step;
    return !isnan(value);
}

/* Pairs of several sizes have no SWD. */
static void tell_unknown(Train *train)
{
    g_autofree char *metric = settings_print(&train->settings, "metric");

    train_say(train, "warning: %s is not known of these pairs, choose another --metric", metric);
}

static void take_result(Train *train, const MetricsResult *result, double seconds)
{
    gboolean higher = train->settings.metric >= SETTINGS_METRIC_PSNR;
    double value = choose_metric(train, result);
    gboolean best = keep_best(train, value, higher);
    GError *error = NULL;

    if (isnan(value))
        tell_unknown(train);
    else
        schedule_observe(&train->state.plateau, value, higher);
    run_log_validation(train->log, train->state.step, train->epoch, result, seconds, &error);
    tell(train, error);
    run_status_clear(&train->status);
    printf("epoch %d, step %" G_GUINT64_FORMAT ": SWD %.2f, SSIM %.4f, PSNR %.2f dB, L1 %.4f%s\n",
           train->epoch, train->state.step, result->swd, result->ssim, result->psnr, result->l1,
           best ? ", the best so far" : "");
    fflush(stdout);
}

static gboolean add_pair(Sampler *sampler, Metrics *metrics, const Dataset *dataset, guint index,
                         GError **error)
{
    g_auto(Sample) sample = {0};

    if (!sampler_run(sampler, dataset, index, &sample, error))
        return FALSE;
    g_autoptr(Picture) output = picture_convert(sample.output, 3);
    g_autoptr(Picture) target = picture_convert(sample.target, 3);
    return metrics_add(metrics, output, target, error);
}

void train_validate(Train *train)
{
    GError *error = NULL;
    gint64 start = g_get_monotonic_time();
    g_autoptr(Metrics) metrics = metrics_new(METRICS_SEED, train->settings.threads);
    g_autoptr(Sampler) sampler = open_sampler(train, &error);
    MetricsResult result;

    metrics_expect(metrics, dataset_get_n(train->val));
    for (guint i = 0; sampler && i < dataset_get_n(train->val); i++) {
        if (command_interrupted())
            return; /* state.validated tells the resumed run that this is still to be done */
        g_autoptr(GError) broken = NULL;
        if (!dataset_is_broken(train->val, i) &&
            !add_pair(sampler, metrics, train->val, i, &broken))
            train_say(train, "not validated: %s", broken->message);
    }
    if (sampler) {
        metrics_finish(metrics, &result);
        take_result(train, &result, (g_get_monotonic_time() - start) / (double)G_USEC_PER_SEC);
    }
    tell(train, error);
    train->state.validated = train->state.step;
}

/* ---- samples ---- */

static gboolean write_picture(const Train *train, const char *folder, const char *name,
                              const char *suffix, const Picture *picture, GError **error)
{
    g_autofree char *base = g_strconcat(name, suffix, ".png", NULL);
    g_autofree char *path = run_folder_file(train->folder, folder);
    g_autofree char *file = g_build_filename(path, base, NULL);

    return picture_write_png(picture, file, error);
}

/* A pair that cannot be read is told and passed over. */
static gboolean write_sample(Train *train, Sampler *sampler, const Dataset *dataset, guint index,
                             const char *fixed, const char *folder, GError **error)
{
    const char *name = dataset_get_name(dataset, index);
    g_auto(Sample) sample = {0};
    GError *broken = NULL;

    if (dataset_is_broken(dataset, index)) /* which has been told */
        return TRUE;
    if (!sampler_run(sampler, dataset, index, &sample, &broken)) {
        tell(train, broken);
        return TRUE;
    }
    return write_picture(train, fixed, name, "-input", sample.input, error) &&
           write_picture(train, fixed, name, "-target", sample.target, error) &&
           write_picture(train, folder, name, "", sample.output, error);
}

void train_sample(Train *train)
{
    const Dataset *dataset = train->val ? train->val : train->data;
    guint n = MIN(train->settings.samples, dataset_get_n(dataset));
    const char *samples = train->settings.samples_dir ? train->settings.samples_dir : "samples";
    g_autofree char *fixed = g_build_filename(samples, "fixed", NULL);
    g_autofree char *folder =
        g_strdup_printf("%s/%08" G_GUINT64_FORMAT, samples, train->state.step);
    GError *error = NULL;
    g_autoptr(Sampler) sampler = open_sampler(train, &error);
    gboolean ok = sampler && run_folder_make_folder(train->folder, fixed, &error) &&
                  run_folder_make_folder(train->folder, folder, &error);

    for (guint i = 0; ok && i < n; i++)
        ok = write_sample(train, sampler, dataset, i, fixed, folder, &error);
    if (ok)
        run_log_samples(train->log, train->state.step, train->epoch, folder, &error);
    tell(train, error);
    train->state.sampled = train->state.step;
}

/* ---- the page ---- */

void train_write_page(Train *train, RunPageState state)
{
    GError *error = NULL;

    if (train->settings.html)
        run_page_write(run_folder_get_path(train->folder), state, &error);
    tell(train, error);
}
