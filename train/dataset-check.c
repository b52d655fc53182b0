/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "dataset-check.h"

#include "image-file.h"
#include "pair-list.h"

#include <pix2pix/pix.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#define INTERVAL_NS 200000000 /* of reports */

/** Check: what the threads share. */
typedef struct {
    const GPtrArray *pairs; /* of Pair */
    char **problems;        /* by pair; NULL where there is none */
    gboolean decode;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t moved;
    guint next, done;
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

/* Those that nobody has taken. */
static void *work(void *data)
{
    Check *check = data;

    pthread_mutex_lock(&check->lock);
    while (check->next < check->pairs->len) {
        guint i = check->next++;
        gboolean decoded = check->decode && !check->stop;
        pthread_mutex_unlock(&check->lock);
        check->problems[i] = check_pair(check->pairs->pdata[i], decoded);
        pthread_mutex_lock(&check->lock);
        check->done++;
        pthread_cond_signal(&check->moved);
    }
    pthread_mutex_unlock(&check->lock);
    return NULL;
}

static struct timespec next_report(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_nsec += INTERVAL_NS;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

/* Until all are done. */
static void watch(Check *check, const DatasetOptions *options)
{
    struct timespec next = next_report();

    pthread_mutex_lock(&check->lock);
    while (check->done < check->pairs->len) {
        if (!pthread_cond_clockwait(&check->moved, &check->lock, CLOCK_MONOTONIC, &next))
            continue;
        next = next_report();
        check->stop = check->stop ||
                      (options->on_checked && !options->on_checked(check->done, check->pairs->len,
                                                                   options->on_checked_data));
    }
    pthread_mutex_unlock(&check->lock);
}

static void check_in_threads(Check *check, const DatasetOptions *options)
{
    g_autofree pthread_t *threads = g_new(pthread_t, options->decode_threads);
    guint n = 0;

    while (n < options->decode_threads && !pthread_create(&threads[n], NULL, work, check))
        n++;
    if (n == 0)
        work(check);
    watch(check, options);
    for (guint i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

void dataset_check(const GPtrArray *pairs, const DatasetOptions *options, GPtrArray *problems)
{
    Check check = {.pairs = pairs, .decode = options->decode_threads > 0};

    check.problems = g_new0(char *, pairs->len);
    pthread_mutex_init(&check.lock, NULL);
    pthread_cond_init(&check.moved, NULL);
    if (check.decode)
        check_in_threads(&check, options);
    else
        work(&check);
    for (guint i = 0; i < pairs->len; i++)
        if (check.problems[i])
            g_ptr_array_add(problems, check.problems[i]);
    g_free(check.problems);
    pthread_mutex_destroy(&check.lock);
    pthread_cond_destroy(&check.moved);
}
