/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a run says of itself before its first step. */
#include "command.h"
#include "train.h"

#include <math.h>
#include <stdio.h>

/* What --max-steps leaves of the schedule, which follows the epochs. */
static void describe_schedule(const Train *train)
{
    const Settings *settings = &train->settings;
    double epoch = (double)train->steps * settings->accumulate / loader_get_batches(train->loader) +
                   settings->start_epoch - 1;

    if (settings->lr_policy == SCHEDULE_LINEAR && settings->max_steps > 0 &&
        epoch <= settings->epochs && settings->epochs_decay > 0)
        printf("the learning rate stays at %g: it would fall behind epoch %" G_GINT64_FORMAT
               ", and the run ends in epoch %.0f\n",
               settings->learning_rate, settings->epochs, ceil(epoch));
}

/* A wrong direction, or single pictures taken for pairs, are seen here before hours have passed. */
static void describe_pairs(const Train *train)
{
    const Settings *settings = &train->settings;
    gboolean back = settings->direction, folders = settings->a && *settings->a;
    int width, height;

    dataset_get_size(train->data, 0, &width, &height);
    printf("learns %s (%s), from %d x %d pixels a side\n", back ? "B to A" : "A to B",
           folders ? (back ? "the folder B to the folder A" : "the folder A to the folder B")
                   : (back ? "right halves to left halves" : "left halves to right halves"),
           width, height);
}

void train_describe(const Train *train)
{
    const PixDeviceInfo *info = pix_device_get_info(train->device);
    const Step *step = train->step;
    g_autofree char *needs = train_print_needs(train);
    g_autofree char *folder = command_show(dataset_get_folder(train->data));
    guint pairs = dataset_get_n(train->data), val = train->val ? dataset_get_n(train->val) : 0;

    printf("%s: %s, %s\n", info->id, info->name, info->features);
    for (int i = 0; i < step->n_networks; i++) {
        const PixModelInfo *network = pix_network_get_info(step->networks[i].network);
        printf("%s: %s, %.2f million parameters\n", step->networks[i].name, network->architecture,
               network->parameters / 1e6);
    }
    printf("%s: %u pairs, %u to validate on; %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
           " steps are done\n",
           folder, pairs, val, train->state.step, train->steps);
    describe_pairs(train);
    describe_schedule(train);
    puts(needs);
    fflush(stdout);
}
