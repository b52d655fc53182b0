/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "dataset-check.h"

#include "image-file.h"
#include "pair-list.h"

#include <pix2pix/pix.h>
#include <sys/stat.h>

#define INTERVAL (G_USEC_PER_SEC / 5) /* of reports */

/** Check: what the threads share. */
typedef struct {
    const GPtrArray *pairs; /* of Pair */
    char **problems;        /* by pair; NULL where there is none */
    gboolean decode;
    GMutex lock; /* of what follows */
    GCond moved;
    guint done;
    gboolean stop;
} Check;

/* ---- a pair ---- */

static guint64 get_bytes(const char *file)
{
    struct stat status;

    return file && !stat(file, &status) ? status.st_size : 0;
}

static gboolean look_side_by_side(Pair *pair, GError **error)
{
    if (!picture_check(pair->a, &pair->width, &pair->height, error))
        return FALSE;
    if (pair->width % 2) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_SHAPE,
                    "%s: is %d pixels wide, and a pair side by side has an even width, replace it",
                    pair->a, pair->width);
        return FALSE;
    }
    pair->width /= 2;
    return TRUE;
}

static gboolean look_at_two_files(Pair *pair, GError **error)
{
    int width, height;

    if (!picture_check(pair->a, &pair->width, &pair->height, error) ||
        !picture_check(pair->b, &width, &height, error))
        return FALSE;
    if (width == pair->width && height == pair->height)
        return TRUE;
    g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_SHAPE,
                "%s: is %d x %d pixels and %s is %d x %d, make them the same size", pair->a,
                pair->width, pair->height, pair->b, width, height);
    return FALSE;
}

static gboolean decode(const char *file, GError **error)
{
    g_autoptr(Picture) picture = picture_read(file, error);

    return picture != NULL;
}

static char *check_pair(Pair *pair, gboolean decoded)
{
    g_autoptr(GError) broken = NULL;
    gboolean whole = pair->b ? look_at_two_files(pair, &broken) : look_side_by_side(pair, &broken);

    if (whole)
        pair->bytes = get_bytes(pair->a) + get_bytes(pair->b);
    if (whole && decoded)
        whole = decode(pair->a, &broken) && (!pair->b || decode(pair->b, &broken));
    if (whole)
        return NULL;
    pair->width = pair->height = 0;
    return g_strdup(broken->message);
}

/* ---- all of them ---- */

/* A GFunc for the pool. @number: of the pair, from 1. */
static void check_one(gpointer number, gpointer data)
{
    Check *check = data;
    guint i = GPOINTER_TO_UINT(number) - 1;

    g_mutex_lock(&check->lock);
    gboolean decoded = check->decode && !check->stop;
    g_mutex_unlock(&check->lock);
    check->problems[i] = check_pair(check->pairs->pdata[i], decoded);
    g_mutex_lock(&check->lock);
    check->done++;
    g_cond_signal(&check->moved);
    g_mutex_unlock(&check->lock);
}

/* Until all are done. */
static void watch(Check *check, const DatasetOptions *options)
{
    gint64 next = g_get_monotonic_time() + INTERVAL;

    g_mutex_lock(&check->lock);
    while (check->done < check->pairs->len) {
        if (g_cond_wait_until(&check->moved, &check->lock, next))
            continue;
        next = g_get_monotonic_time() + INTERVAL;
        check->stop = check->stop ||
                      (options->on_checked && !options->on_checked(check->done, check->pairs->len,
                                                                   options->on_checked_data));
    }
    g_mutex_unlock(&check->lock);
}

static void check_in_threads(Check *check, const DatasetOptions *options)
{
    GThreadPool *pool = g_thread_pool_new(check_one, check, options->decode_threads, FALSE, NULL);

    for (guint i = 0; i < check->pairs->len; i++)
        g_thread_pool_push(pool, GUINT_TO_POINTER(i + 1), NULL);
    watch(check, options);
    g_thread_pool_free(pool, FALSE, TRUE);
}

void dataset_check(const GPtrArray *pairs, const DatasetOptions *options, GPtrArray *problems)
{
    Check check = {.pairs = pairs, .decode = options->decode_threads > 0};

    check.problems = g_new0(char *, pairs->len);
    g_mutex_init(&check.lock);
    g_cond_init(&check.moved);
    if (check.decode)
        check_in_threads(&check, options);
    for (guint i = 0; i < pairs->len; i++) {
        if (!check.decode)
            check.problems[i] = check_pair(pairs->pdata[i], FALSE);
        if (check.problems[i])
            g_ptr_array_add(problems, check.problems[i]);
    }
    g_free(check.problems);
    g_mutex_clear(&check.lock);
    g_cond_clear(&check.moved);
}
