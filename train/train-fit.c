/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether a run fits into memory and onto the disk. */
#include "metrics.h"
#include "train.h"

#define GIB (1024.0 * 1024 * 1024)
#define SPARE_BYTES (64 << 20) /* for log, page, samples and metrics */

/** What a run takes, in bytes. */
typedef struct {
    guint64 weights, activations, data;
} Needs;

static guint64 validation_bytes(const Train *train)
{
    PixModel *model = pix_network_get_model(train->step->networks[0].network);
    PixSessionOptions options;

    pix_session_options_init(&options, model);
    options.width = train->width;
    options.height = train->height;
    options.statistics = PIX_STATISTICS_FRAME;
    PixSession *session = pix_session_new(model, &options, NULL);
    guint64 bytes = session ? pix_session_get_bytes(session) : 0;
    pix_session_free(session);
    return bytes;
}

static Needs find_needs(const Train *train)
{
    const Settings *settings = &train->settings;
    const Step *step = train->step;
    guint64 channels = settings->input_nc + settings->output_nc;
    guint64 pixels = (guint64)train->width * train->height * settings->batch_size;
    Needs needs = {0};

    for (int i = 0; i < step->n_networks; i++)
        needs.weights += pix_network_get_bytes(step->networks[i].network);
    if (settings->ema > 0) /* the average, and the model that is opened to look at it */
        needs.weights += pix_network_get_info(step->networks[0].network)->weight_bytes *
                         (train->val || settings->samples > 0 ? 2 : 1);
    needs.activations = step->kind->get_bytes(step) + validation_bytes(train);
    needs.data =
        sizeof(float) * channels * pixels * (settings->loader_threads + 1 + settings->accumulate) +
        SPARE_BYTES;
    if (train->val)
        needs.data += metrics_get_bytes(dataset_get_n(train->val), train->width, train->height,
                                        settings->threads);
    return needs;
}

/* A GPU has a memory of its own for all but data. */
static gboolean has_own_memory(const PixDeviceInfo *info)
{
    return info->driver != NULL;
}

char *train_print_needs(const Train *train)
{
    const PixDeviceInfo *info = pix_device_get_info(train->device);
    const Needs needs = find_needs(train);
    g_autofree char *available =
        train->free_memory == G_MAXUINT64
            ? g_strdup("")
            : g_strdup_printf("; %.2f GiB are free", train->free_memory / GIB);

    if (has_own_memory(info))
        return g_strdup_printf("needs %.2f of the GPU's %.2f GiB of memory: weights and optimiser "
                               "%.2f, activations %.2f; and %.2f GiB for data%s",
                               (needs.weights + needs.activations) / GIB, info->memory_bytes / GIB,
                               needs.weights / GIB, needs.activations / GIB, needs.data / GIB,
                               available);
    return g_strdup_printf(
        "needs %.2f GiB of memory: weights and optimiser %.2f, activations %.2f, data %.2f%s",
        (needs.weights + needs.activations + needs.data) / GIB, needs.weights / GIB,
        needs.activations / GIB, needs.data / GIB, available);
}

static gboolean check_memory(const Train *train, GError **error)
{
    const PixDeviceInfo *info = pix_device_get_info(train->device);
    const Needs needs = find_needs(train);
    guint64 here = needs.data, there = needs.weights + needs.activations;

    if (!has_own_memory(info))
        here = there += needs.data;
    if (here <= train->free_memory && (!info->memory_bytes || there <= info->memory_bytes))
        return TRUE;
    g_autofree char *text = train_print_needs(train);
    g_set_error(error, PIX_ERROR, PIX_ERROR_NO_MEMORY,
                "this run %s; choose a smaller --batch-size, --crop-size, --ngf or --ndf", text);
    return FALSE;
}

static guint64 states_bytes(const Train *train, guint64 *one)
{
    guint on_disk = 0, keep = train->settings.keep;
    guint64 generator = pix_network_get_info(train->step->networks[0].network)->weight_bytes;
    PixStateNetwork networks[STEP_MAX_NETWORKS];

    if (train->folder) {
        g_autoptr(GPtrArray) states = run_folder_list_states(train->folder);
        on_disk = states->len;
    }
    for (int i = 0; i < train->step->n_networks; i++)
        networks[i] =
            (PixStateNetwork){train->step->networks[i].name, train->step->networks[i].network};
    *one = pix_state_get_bytes(networks, train->step->n_networks);
    /* One more than is kept, for the oldest goes when the newest is there. */
    return *one * (keep + 1 - MIN(on_disk, keep)) + (on_disk ? 0 : 3 * generator);
}

static gboolean check_disk(Train *train, GError **error)
{
    guint64 available = run_folder_get_free_bytes(train->settings.output), one;
    guint64 all = states_bytes(train, &one);

    if (available < one) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_IO,
                    "%s: one state takes %.2f GiB, and %.2f GiB are free, make room or choose "
                    "another --output",
                    train->settings.output, one / GIB, available / GIB);
        return FALSE;
    }
    if (available < all)
        train_say(train,
                  "warning: %s: the run may take %.2f GiB, and %.2f GiB are free, make room "
                  "or --keep fewer states",
                  train->settings.output, all / GIB, available / GIB);
    return TRUE;
}

gboolean train_check_fit(Train *train, GError **error)
{
    return check_memory(train, error) && check_disk(train, error);
}
