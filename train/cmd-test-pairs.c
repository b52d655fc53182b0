/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The pairs of a data set: at the network's size, as they were trained on, and with metrics. */
#include "cmd-test.h"
#include "metrics.h"
#include "progress.h"
#include "sampler.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#define METRICS_SEED 1 /* as pix2pix eval */

/* Whether the data set of a run, one folder, holds folder @phase; if not, the error names what to
 * give: with what it was trained on as the example. */
static gboolean check_phase(const Settings *settings, const char *phase, GError **error)
{
    g_autofree char *folder = g_build_filename(settings->data, phase, NULL);
    g_autofree char *learnt = g_build_filename(settings->data, settings->phase, NULL);
    const char *example = g_file_test(learnt, G_FILE_TEST_IS_DIR) ? learnt : settings->data;
    g_autofree char *parent = g_path_get_dirname(example);
    g_autofree char *base = g_path_get_basename(example);

    if (g_file_test(folder, G_FILE_TEST_IS_DIR))
        return TRUE;
    g_set_error(error, PIX_ERROR, PIX_ERROR_NOT_FOUND,
                "%s: has no folder %s, name pairs with --data and --split; those that it was "
                "trained on: --data %s --split %s",
                settings->data, phase, parent, base);
    return FALSE;
}

/* What a run was validated on, or its --split. @a, @b: (out) (transfer full): keep what @options
 * points to. */
static gboolean find_run_pairs(const Test *test, DatasetOptions *options, char **a, char **b,
                               GError **error)
{
    const Settings *settings = &test->settings;
    const char *phase = test->split ? test->split : settings->val_phase;
    gboolean validation = !strcmp(phase, settings->val_phase);

    if (!settings_find_folders(settings, phase, validation, a, b)) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_NOT_FOUND,
                    "%s: has no folder %s, name another with --split, or pairs with --data",
                    settings->a, phase);
        return FALSE;
    }
    if (settings->data && !check_phase(settings, phase, error))
        return FALSE;
    options->root = settings->data;
    options->phase = phase;
    options->a_folder = *a;
    options->b_folder = *b;
    return TRUE;
}

/* Where the pairs are: --data, else what a run was validated on. */
static Dataset *open_pairs(const Test *test, GError **error)
{
    g_autofree char *a = NULL, *b = NULL;
    const PixModelInfo *info = pix_model_get_info(test->model);
    const Settings *settings = &test->settings;
    DatasetOptions options = {
        .root = test->data,
        .phase = test->split ? test->split : "val",
        .exact = test->split != NULL,
        .b_to_a = test->direction ? test->direction[0] == 'B' : settings->direction,
        .in_channels = info->in_channels,
        .out_channels = info->out_channels,
        .max_size = test->num_test,
    };

    if (test->data || find_run_pairs(test, &options, &a, &b, error))
        return dataset_open(&options, error);
    return NULL;
}

/* As the run did it; else resized to the network's size. */
static AugmentOptions choose_augment(const Test *test)
{
    const Settings *settings = &test->settings;
    AugmentOptions augment = {
        .preprocess = test->native ? AUGMENT_NONE : AUGMENT_RESIZE_AND_CROP,
        .load_width = test->session.width,
        .load_height = test->session.height,
        .crop_width = test->session.width,
        .crop_height = test->session.height,
        .multiple = MAX(pix_model_get_info(test->model)->multiple, 1),
    };

    if (test->has_settings && !test->fit && !test->options.width) {
        augment.preprocess = settings->preprocess;
        augment.load_width = settings->load_size.width;
        augment.load_height = settings->load_size.height;
        augment.crop_width = settings->crop_size.width;
        augment.crop_height = settings->crop_size.height;
    }
    return augment;
}

static gboolean is_same_folder(const char *a, const char *b)
{
    GStatBuf left, right;

    return a && b && !g_stat(a, &left) && !g_stat(b, &right) && left.st_dev == right.st_dev &&
           left.st_ino == right.st_ino;
}

/* Outputs have the names of the inputs. */
static gboolean check_output(const Test *test, const Dataset *dataset, GError **error)
{
    const DatasetOptions *options = dataset_get_options(dataset);
    g_autofree char *targets = g_build_filename(test->output, "targets", NULL);
    const char *const inputs[] = {dataset_get_folder(dataset), options->a_folder,
                                  options->b_folder};

    for (gsize i = 0; i < G_N_ELEMENTS(inputs); i++) {
        if (is_same_folder(test->output, inputs[i]) || is_same_folder(targets, inputs[i])) {
            g_set_error(error, PIX_ERROR, PIX_ERROR_IO,
                        "%s: holds the inputs, which will not be overwritten, choose another "
                        "--output",
                        inputs[i]);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean add_metrics(Metrics *metrics, const Sample *sample, GError **error)
{
    g_autoptr(Picture) output = picture_convert(sample->output, 3);
    g_autoptr(Picture) target = picture_convert(sample->target, 3);

    return metrics_add(metrics, output, target, error);
}

/* Whether the CPU takes over after @error; pictures that cannot be read are no reason. */
static gboolean fall_back(Test *test, Sampler *sampler, GError **error)
{
    if (g_error_matches(*error, PIX_ERROR, PIX_ERROR_UNSUPPORTED) ||
        !command_fall_back(&test->model, test->model_name, &test->options, FALSE, error))
        return FALSE;
    sampler_use(sampler, test->model);
    return TRUE;
}

/* A broken pair is told and counted; only a failure to write stops. */
static gboolean run_one(Test *test, Sampler *sampler, const Dataset *dataset, guint index,
                        Metrics *metrics, Progress *progress, GError **error)
{
    g_auto(Sample) sample = {0};
    g_autoptr(GError) broken = NULL;

    gboolean done = sampler_run(sampler, dataset, index, &sample, &broken);
    if (!done && fall_back(test, sampler, &broken))
        done = sampler_run(sampler, dataset, index, &sample, &broken);
    if (done && add_metrics(metrics, &sample, &broken)) {
        test->network_ms += sampler_get_ms(sampler);
        return test_add_output(test, dataset_get_name(dataset, index), sample.input, sample.output,
                               sample.target, error);
    }
    if (g_error_matches(broken, PIX_ERROR, PIX_ERROR_DEVICE_LOST)) {
        g_propagate_error(error, g_steal_pointer(&broken));
        return FALSE;
    }
    progress_clear(progress);
    test_add_broken(test, broken->message);
    return TRUE;
}

static void print_metrics(const Metrics *metrics)
{
    MetricsResult result;

    metrics_finish(metrics, &result);
    if (result.n > 0)
        printf("SWD %.2f, SSIM %.4f, PSNR %.2f dB, L1 %.4f over %d pairs\n", result.swd,
               result.ssim, result.psnr, result.l1, result.n);
}

static int run_all(Test *test, Sampler *sampler, const Dataset *dataset)
{
    g_autoptr(Metrics) metrics = metrics_new(METRICS_SEED, test->options.threads);
    GError *error = NULL;
    Progress progress;
    int total = dataset_get_n(dataset), seen = 0;

    progress_init(&progress, "pairs", total);
    for (; seen < total && !command_interrupted() && !error; seen++) {
        progress_update(&progress, seen);
        run_one(test, sampler, dataset, seen, metrics, &progress, &error);
    }
    progress_clear(&progress);
    if (error)
        return command_fail(error);
    if (seen == total)
        print_metrics(metrics);
    return test_finish(test, seen, total);
}

int test_pairs(Test *test)
{
    GError *error = NULL;
    g_autoptr(Dataset) dataset = open_pairs(test, &error);

    if (!dataset)
        return command_fail(error);
    for (guint i = 0; i < dataset_get_notes(dataset)->len; i++)
        command_print_error("note: %s", (char *)dataset_get_notes(dataset)->pdata[i]);
    const AugmentOptions augment = choose_augment(test);
    g_autoptr(Sampler) sampler = sampler_new(test->model, &augment, &test->session);
    if (!check_output(test, dataset, &error) || !test_make_folder(test, "targets", &error) ||
        !test_open_page(test, dataset_get_options(dataset)->b_to_a ? "BtoA" : "AtoB", &error))
        return command_fail(error);
    for (guint i = 0; i < dataset_get_problems(dataset)->len; i++)
        test_add_broken(test, dataset_get_problems(dataset)->pdata[i]);
    return run_all(test, sampler, dataset);
}
