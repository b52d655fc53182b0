/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "batch-slot.h"

#include "chance.h"

#define MAX_DRAWS 64 /* of replacements for one pair; 1 % broken ones never need them all */

static void clear_failure(gpointer failure)
{
    g_free(((BatchFailure *)failure)->message);
}

void batch_slot_init(BatchSlot *slot, int n, guint64 per_epoch)
{
    *slot = (BatchSlot){.batch = {.n = n, .per_epoch = per_epoch}};
    slot->batch.pairs = slot->pairs = g_new(guint, n);
    slot->failures = g_array_new(FALSE, FALSE, sizeof(BatchFailure));
    g_array_set_clear_func(slot->failures, clear_failure);
}

void batch_slot_clear(BatchSlot *slot)
{
    g_free(slot->in);
    g_free(slot->out);
    g_free(slot->pairs);
    g_array_unref(slot->failures);
}

static gboolean try_pair(const LoaderOptions *options, BatchSlot *slot, guint pair, Picture **in,
                         Picture **out)
{
    g_autoptr(GError) error = NULL;

    if (dataset_read(options->dataset, pair, in, out, &error))
        return TRUE;
    BatchFailure failure = {pair, g_strdup(error->message)};
    g_array_append_val(slot->failures, failure);
    return FALSE;
}

/* Reads pair @i of the batch, or one in its place. */
static gboolean read_pair(const LoaderOptions *options, BatchSlot *slot, int i, guint64 position,
                          Picture **in, Picture **out)
{
    if (try_pair(options, slot, slot->pairs[i], in, out))
        return TRUE;
    GRand *chance = chance_new(options->seed, slot->batch.epoch, position, CHANCE_REPLACEMENT);
    gboolean found = FALSE;
    for (int draw = 0; draw < MAX_DRAWS && !found; draw++) {
        slot->pairs[i] = g_rand_int_range(chance, 0, dataset_get_n(options->dataset));
        found = try_pair(options, slot, slot->pairs[i], in, out);
    }
    g_rand_free(chance);
    slot->replaced += found;
    return found;
}

/* Makes room for the size that pictures like @in become. */
static void set_size(const LoaderOptions *options, BatchSlot *slot, const Picture *in)
{
    const DatasetOptions *channels = dataset_get_options(options->dataset);
    Batch *batch = &slot->batch;

    augment_get_size(&options->augment, in->width, in->height, &batch->width, &batch->height, NULL);
    gsize pixels = (gsize)batch->n * batch->width * batch->height;
    if (pixels > slot->pixels) {
        slot->in = g_renew(float, slot->in, pixels * channels->in_channels);
        slot->out = g_renew(float, slot->out, pixels * channels->out_channels);
        slot->pixels = pixels;
    }
    batch->in = slot->in;
    batch->out = slot->out;
}

void batch_slot_fill(BatchSlot *slot, const LoaderOptions *options, const int *stop)
{
    Batch *batch = &slot->batch;

    slot->replaced = 0;
    slot->gave_up = FALSE;
    for (int i = 0; i < batch->n && !g_atomic_int_get(stop); i++) {
        guint64 position = batch->index * batch->n + i;
        g_autoptr(Picture) in = NULL, out = NULL;
        if (!read_pair(options, slot, i, position, &in, &out)) {
            slot->gave_up = TRUE;
            return;
        }
        if (i == 0)
            set_size(options, slot, in);
        gsize pixels = (gsize)batch->width * batch->height;
        augment_apply(&options->augment, options->seed, batch->epoch, position, in, out,
                      slot->in + i * pixels * in->channels, slot->out + i * pixels * out->channels);
    }
}
