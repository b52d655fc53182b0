/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is there before the first step of a run, and whether it fits. */
#include "command.h"
#include "progress.h"
#include "sampler.h"
#include "train.h"

#include <stdio.h>

void train_say(Train *train, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    run_status_clear(&train->status);
    command_print_error("%s", message);
}

void train_clear(Train *train)
{
    run_log_close(train->log);
    loader_free(train->loader);
    if (train->step)
        train->step->kind->free(train->step);
    dataset_free(train->data);
    dataset_free(train->val);
    pix_device_unref(train->device);
    run_folder_close(train->folder);
    train_state_clear(&train->state);
    settings_clear(&train->settings);
    g_clear_error(&train->save_error);
    g_free(train->save_told);
}

AugmentOptions train_get_augment(const Train *train)
{
    const Settings *settings = &train->settings;

    return (AugmentOptions){
        .preprocess = settings->preprocess,
        .load_width = settings->load_size.width,
        .load_height = settings->load_size.height,
        .crop_width = settings->crop_size.width,
        .crop_height = settings->crop_size.height,
        .flip = settings->flip,
        .multiple = pix_network_get_info(train->step->networks[0].network)->multiple,
    };
}

/* ---- the run's folder ---- */

void train_begin_state(Train *train)
{
    train_state_init(&train->state);
    train->state.epoch = train->settings.start_epoch;
}

static gboolean open_log(Train *train, GError **error)
{
    g_autofree char *file = run_folder_file(train->folder, "log.jsonl");

    train->log = run_log_open(file, train->state.step, error);
    return train->log != NULL;
}

static gboolean write_config(Train *train, GError **error)
{
    g_autofree char *file = run_folder_file(train->folder, "config.json");

    if (!settings_write(&train->settings, file, error))
        return FALSE;
    g_clear_pointer(&train->state.before, g_free); /* it is not there any more */
    return TRUE;
}

/* Where a person wants the samples; what cannot be made is better known now than in an hour. */
static gboolean make_samples(const Train *train, GError **error)
{
    const Settings *settings = &train->settings;

    if (!settings->samples_dir || settings->samples == 0)
        return TRUE;
    run_folder_clean_samples(train->folder, settings->samples_dir);
    return run_folder_make_folder(train->folder, settings->samples_dir, error);
}

gboolean train_open_files(Train *train, GError **error)
{
    return make_samples(train, error) && open_log(train, error) && write_config(train, error);
}

/* ---- data ---- */

static void tell(Train *train, const GPtrArray *lines, const char *what)
{
    for (guint i = 0; i < MIN(lines->len, DATASET_NAMED); i++)
        train_say(train, "%s: %s", what, (char *)lines->pdata[i]);
    if (lines->len > DATASET_NAMED)
        train_say(train, "%s: %u more", what, lines->len - DATASET_NAMED);
}

/* A DatasetChecked. */
static gboolean show_checked(guint done, guint total, gpointer data)
{
    Progress *progress = data;

    progress->total = total;
    progress_update(progress, done);
    return !command_interrupted();
}

/* Of a new run; the data of one that goes on are known. */
static guint count_decoders(const Train *train)
{
    return train->folder                 ? 0
           : train->settings.threads > 0 ? train->settings.threads
                                         : g_get_num_processors();
}

static Dataset *open_dataset(Train *train, const char *a, const char *b, const char *phase,
                             int max_size, gboolean keep_broken, GError **error)
{
    const Settings *settings = &train->settings;
    Progress progress;
    const DatasetOptions options = {
        .root = settings->data,
        .phase = phase,
        .a_folder = a,
        .b_folder = b,
        .b_to_a = settings->direction,
        .in_channels = settings->input_nc,
        .out_channels = settings->output_nc,
        .max_size = max_size,
        .keep_broken = keep_broken,
        .decode_threads = count_decoders(train),
        .on_checked = show_checked,
        .on_checked_data = &progress,
    };

    progress_init(&progress, "pairs looked at", 0);
    Dataset *dataset = dataset_open(&options, error);
    progress_clear(&progress);
    if (dataset) {
        tell(train, dataset_get_problems(dataset),
             keep_broken ? "replaced by another pair" : "left out");
        tell(train, dataset_get_notes(dataset), "note");
    }
    return dataset;
}

static gboolean open_validation(Train *train, GError **error)
{
    const char *phase = train->settings.val_phase, *best = "latest.safetensors is the best as well";
    g_autofree char *a = NULL, *b = NULL;
    g_autoptr(GError) reason = NULL;

    if (settings_find_folders(&train->settings, phase, TRUE, &a, &b))
        train->val = open_dataset(train, a, b, phase, 0, FALSE, &reason);
    if (train->val)
        return TRUE;
    if (reason && !g_error_matches(reason, PIX_ERROR, PIX_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return FALSE;
    }
    if (train->settings.lr_policy == SCHEDULE_PLATEAU) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_NOT_FOUND,
                    "--lr-policy plateau watches a validation split, and there is none%s%s",
                    reason ? ": " : "", reason ? reason->message : "");
        return FALSE;
    }
    if (reason)
        train_say(train, "warning: nothing to validate on: %s; %s", reason->message, best);
    else
        train_say(train, "warning: nothing to validate on, give --val-a and --val-b; %s", best);
    return TRUE;
}

gboolean train_open_data(Train *train, GError **error)
{
    const Settings *settings = &train->settings;
    g_autofree char *a = NULL, *b = NULL;

    settings_find_folders(settings, settings->phase, FALSE, &a, &b);
    /* A resumed run must number the pairs as before, whichever of them broke meanwhile. */
    train->data =
        open_dataset(train, a, b, settings->phase, settings->max_dataset_size, TRUE, error);
    return train->data && open_validation(train, error);
}

/* ---- networks and batches ---- */

gboolean train_open_networks(Train *train, const char *const *files, GError **error)
{
    const Settings *settings = &train->settings;

    run_status_init(&train->status);
    train->device = command_open_device(settings->device, settings->threads, error);
    if (!train->device)
        return FALSE;
    train->step = step_pix2pix.make(train->device, &train->settings, files, error);
    return train->step != NULL;
}

/* Steps until the last epoch is over, from where the run is. */
static guint64 count_steps(const Train *train)
{
    const Settings *settings = &train->settings;
    const TrainState *state = &train->state;
    guint64 last = settings->epochs + settings->epochs_decay, steps = state->step;

    if (state->epoch <= last) {
        guint64 batches = (last - state->epoch + 1) * loader_get_batches(train->loader);
        steps += (batches - MIN(batches, state->batch)) / settings->accumulate;
    }
    if (settings->max_steps > 0)
        steps = MIN(steps, (guint64)settings->max_steps);
    return MAX(steps, 1);
}

static gboolean open_loader(Train *train, GError **error)
{
    const Settings *settings = &train->settings;
    const LoaderOptions options = {
        .dataset = train->data,
        .augment = train_get_augment(train),
        .batch_size = settings->batch_size,
        .threads = settings->loader_threads,
        .seed = settings->seed,
        .serial = settings->serial_batches,
        .epoch = train->state.epoch,
        .index = train->state.batch,
    };

    train->loader = loader_new(&options, error);
    if (!train->loader)
        return FALSE;
    tell(train, loader_get_notes(train->loader), "note");
    train->steps = count_steps(train);
    return TRUE;
}

static gboolean reserve(Train *train, int width, int height, GError **error)
{
    return train->step->kind->reserve(train->step, train->settings.batch_size, width, height,
                                      error);
}

/* Where sizes vary, a run must not end at the first pair that the networks cannot take. */
static gboolean try_sizes(Train *train, GError **error)
{
    const AugmentOptions augment = train_get_augment(train);
    g_autoptr(GHashTable) tried = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < dataset_get_n(train->data); i++) {
        int width, height;
        if (dataset_is_broken(train->data, i))
            continue;
        dataset_get_size(train->data, i, &width, &height);
        augment_get_size(&augment, width, height, &width, &height, NULL); /* it can: see loader */
        if (!g_hash_table_add(tried, g_strdup_printf("%d x %d", width, height)))
            continue;
        if (!reserve(train, width, height, error)) {
            g_prefix_error(error, "pair %s: ", dataset_get_name(train->data, i));
            return FALSE;
        }
        if ((gint64)width * height > (gint64)train->width * train->height) {
            train->width = width;
            train->height = height;
        }
    }
    return TRUE;
}

gboolean train_prepare(Train *train, GError **error)
{
    if (!open_loader(train, error))
        return FALSE;
    loader_get_size(train->loader, &train->width, &train->height);
    return (train->width > 0 || try_sizes(train, error)) &&
           reserve(train, train->width, train->height, error) && train_check_fit(train, error);
}
