/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "batch.h"

#include "batch-slot.h"
#include "chance.h"
#include "pair-list.h"

#include <pix2pix/pix.h>
#include <pthread.h>
#include <signal.h>

struct Loader {
    LoaderOptions options;
    guint n; /* pairs */
    guint64 per_epoch;
    int width, height;
    GPtrArray *notes, *problems; /* of text */
    GHashTable *broken;          /* set of pairs */
    guint64 skipped;
    gboolean has_current; /* the caller has a batch */

    gboolean started;
    guint n_threads;
    pthread_t *threads;
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t made, room;
    int stop; /* atomic: read without the lock, too */
    BatchSlot *slots;
    guint n_slots;
    guint64 dealt, released; /* batches; the n-th is in slot n % n_slots */
    guint epoch;             /* of the next to deal */
    guint64 index;
    guint *order; /* (n), of that epoch */
};

static void shuffle(Loader *loader)
{
    GRand *chance = chance_new(loader->options.seed, loader->epoch, 0, CHANCE_ORDER);

    for (guint i = 0; i < loader->n; i++)
        loader->order[i] = i;
    for (guint i = loader->n; i > 1 && !loader->options.serial; i--) {
        guint other = g_rand_int_range(chance, 0, i), pair = loader->order[other];
        loader->order[other] = loader->order[i - 1];
        loader->order[i - 1] = pair;
    }
    g_rand_free(chance);
}

/* Called with the lock held, so that batches are dealt in order. */
static BatchSlot *deal(Loader *loader)
{
    BatchSlot *slot = &loader->slots[loader->dealt++ % loader->n_slots];
    int size = loader->options.batch_size;

    slot->batch.epoch = loader->epoch;
    slot->batch.index = loader->index;
    for (int i = 0; i < size; i++)
        slot->pairs[i] = loader->order[(loader->index * size + i) % loader->n];
    if (++loader->index == loader->per_epoch) {
        loader->index = 0;
        loader->epoch++;
        shuffle(loader);
    }
    return slot;
}

static void *work(void *data)
{
    Loader *loader = data;

    pthread_mutex_lock(&loader->lock);
    while (!loader->stop) {
        if (loader->dealt - loader->released == loader->n_slots) {
            pthread_cond_wait(&loader->room, &loader->lock);
            continue;
        }
        BatchSlot *slot = deal(loader);
        pthread_mutex_unlock(&loader->lock);
        batch_slot_fill(slot, &loader->options, &loader->stop);
        pthread_mutex_lock(&loader->lock);
        slot->ready = TRUE;
        pthread_cond_broadcast(&loader->made);
    }
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

/* Says that pair @i cannot be in one batch with the first one. */
static void set_size_error(const Loader *loader, guint i, int width, int height, GError **error)
{
    guint first = 0;

    while (dataset_is_broken(loader->options.dataset, first))
        first++;
    g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_SHAPE,
                "pair %s is %d x %d pixels and pair %s %d x %d, and a batch has one size, crop "
                "them or use batches of one",
                dataset_get_name(loader->options.dataset, first), loader->width, loader->height,
                dataset_get_name(loader->options.dataset, i), width, height);
}

/* Finds out what size the batches have, if they have one. */
static gboolean check_sizes(Loader *loader, GError **error)
{
    gboolean mixed = FALSE;
    int width, height;

    for (guint i = 0; i < loader->n; i++) {
        if (dataset_is_broken(loader->options.dataset, i))
            continue;
        dataset_get_size(loader->options.dataset, i, &width, &height);
        if (!augment_get_size(&loader->options.augment, width, height, &width, &height, error)) {
            g_prefix_error(error, "pair %s: ", dataset_get_name(loader->options.dataset, i));
            return FALSE;
        }
        if (loader->width == 0) {
            loader->width = width;
            loader->height = height;
        } else if (width != loader->width || height != loader->height) {
            mixed = TRUE;
            if (loader->options.batch_size > 1) {
                set_size_error(loader, i, width, height, error);
                return FALSE;
            }
        }
    }
    if (mixed)
        loader->width = loader->height = 0;
    return TRUE;
}

/* With "none", rounding the sides changes what a person left as it was. */
static void note_rounding(Loader *loader)
{
    const AugmentOptions *augment = &loader->options.augment;
    guint rounded = 0;

    for (guint i = 0; i < loader->n && augment->preprocess == AUGMENT_NONE; i++) {
        int width, height, net_width, net_height;
        if (dataset_is_broken(loader->options.dataset, i))
            continue;
        dataset_get_size(loader->options.dataset, i, &width, &height);
        augment_get_size(augment, width, height, &net_width, &net_height, NULL);
        rounded += width != net_width || height != net_height;
    }
    if (rounded)
        g_ptr_array_add(loader->notes,
                        g_strdup_printf("%u of %u pairs are resized a little, so that their sides "
                                        "are multiples of %d",
                                        rounded, loader->n, augment->multiple));
}

/* What the data set has told already. */
static void note_broken(Loader *loader)
{
    loader->broken = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < loader->n; i++) {
        if (dataset_is_broken(loader->options.dataset, i))
            g_hash_table_add(loader->broken, GUINT_TO_POINTER(i));
    }
}

static void make_slots(Loader *loader)
{
    loader->n_slots = loader->options.threads ? loader->options.threads + 2 : 1;
    loader->slots = g_new(BatchSlot, loader->n_slots);
    for (guint i = 0; i < loader->n_slots; i++)
        batch_slot_init(&loader->slots[i], loader->options.batch_size, loader->per_epoch);
}

/* Fewer threads than asked for are slower, not wrong. Signals are for the others. */
static void start_threads(Loader *loader)
{
    sigset_t all, before;

    loader->started = TRUE;
    loader->threads = g_new(pthread_t, loader->options.threads);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (loader->n_threads < loader->options.threads &&
           pthread_create(&loader->threads[loader->n_threads], NULL, work, loader) == 0)
        loader->n_threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

Loader *loader_new(const LoaderOptions *options, GError **error)
{
    g_autoptr(Loader) loader = g_new0(Loader, 1);

    g_assert(options->batch_size > 0 && options->epoch > 0);
    loader->options = *options;
    loader->n = dataset_get_n(options->dataset);
    loader->per_epoch = loader_count_batches(loader->n, options->batch_size);
    loader->notes = g_ptr_array_new_with_free_func(g_free);
    loader->problems = g_ptr_array_new_with_free_func(g_free);
    note_broken(loader);
    loader->order = g_new(guint, loader->n);
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->made, NULL);
    pthread_cond_init(&loader->room, NULL);
    make_slots(loader);
    if (!check_sizes(loader, error))
        return NULL;
    note_rounding(loader);

    loader->epoch = options->epoch + options->index / loader->per_epoch;
    loader->index = options->index % loader->per_epoch;
    shuffle(loader);
    return g_steal_pointer(&loader);
}

static void stop_threads(Loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    g_atomic_int_set(&loader->stop, TRUE);
    pthread_cond_broadcast(&loader->room);
    pthread_mutex_unlock(&loader->lock);
    for (guint i = 0; i < loader->n_threads; i++)
        pthread_join(loader->threads[i], NULL);
}

void loader_free(Loader *loader)
{
    if (!loader)
        return;
    stop_threads(loader);
    for (guint i = 0; i < loader->n_slots; i++)
        batch_slot_clear(&loader->slots[i]);
    g_free(loader->slots);
    g_free(loader->order);
    g_free(loader->threads);
    g_ptr_array_unref(loader->notes);
    g_ptr_array_unref(loader->problems);
    g_hash_table_unref(loader->broken);
    pthread_mutex_destroy(&loader->lock);
    pthread_cond_destroy(&loader->made);
    pthread_cond_destroy(&loader->room);
    g_free(loader);
}

void loader_get_size(const Loader *loader, int *width, int *height)
{
    *width = loader->width;
    *height = loader->height;
}

guint64 loader_count_batches(guint pairs, int batch_size)
{
    return MAX(pairs / batch_size, 1);
}

guint64 loader_get_batches(const Loader *loader)
{
    return loader->per_epoch;
}

/* Returns the oldest batch that was not handed out; gives the one before back to the threads. */
static BatchSlot *take(Loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    if (loader->has_current)
        loader->released++;
    loader->has_current = TRUE;
    pthread_cond_signal(&loader->room);
    BatchSlot *slot = &loader->slots[loader->released % loader->n_slots];
    if (loader->n_threads == 0)
        batch_slot_fill(deal(loader), &loader->options, &loader->stop);
    while (loader->n_threads && !slot->ready)
        pthread_cond_wait(&loader->made, &loader->lock);
    slot->ready = FALSE;
    pthread_mutex_unlock(&loader->lock);
    return slot;
}

/* What was broken is told in the order of the batches, whichever thread met it first. */
static void report(Loader *loader, BatchSlot *slot)
{
    for (guint i = 0; i < slot->failures->len; i++) {
        const BatchFailure *failure = &g_array_index(slot->failures, BatchFailure, i);
        if (g_hash_table_add(loader->broken, GUINT_TO_POINTER(failure->pair)))
            g_ptr_array_add(loader->problems, g_strdup(failure->message));
    }
    g_array_set_size(slot->failures, 0);
    loader->skipped += slot->replaced;
}

const Batch *loader_next(Loader *loader, GError **error)
{
    if (!loader->started)
        start_threads(loader);
    BatchSlot *slot = take(loader);
    report(loader, slot);
    guint broken = g_hash_table_size(loader->broken);
    if (!slot->gave_up && (guint64)broken * 100 <= loader->n)
        return &slot->batch;
    g_autofree char *named = pair_list_join(loader->problems, "; ");
    g_set_error(error, PIX_ERROR, PIX_ERROR_IO,
                "%s: %u of %u pairs can no longer be read, more than 1 %%: %s",
                dataset_get_folder(loader->options.dataset), broken, loader->n, named);
    return NULL;
}

const GPtrArray *loader_get_problems(const Loader *loader)
{
    return loader->problems;
}

guint64 loader_get_skipped(const Loader *loader)
{
    return loader->skipped;
}

const GPtrArray *loader_get_notes(const Loader *loader)
{
    return loader->notes;
}
