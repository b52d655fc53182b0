/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Batches are the same with any number of threads and after any start; what becomes of pairs that
 * break while the loader runs. With --bench FOLDER THREADS: pairs a second of a data set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "batch.h"
#include "image-file.h"
#include "sample-files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const AugmentOptions jitter = {.preprocess = AUGMENT_RESIZE_AND_CROP,
                                      .load_width = 10,
                                      .load_height = 10,
                                      .crop_width = 8,
                                      .crop_height = 8,
                                      .flip = TRUE,
                                      .multiple = 1};

/* The data set that most tests use: 7 pairs. */
static Dataset *seven;

static Dataset *open_folder(const char *root)
{
    const DatasetOptions options = {
        .root = root, .phase = "train", .in_channels = 3, .out_channels = 1};
    Dataset *dataset = dataset_open(&options, NULL);

    assert_non_null(dataset);
    return dataset;
}

static int setup(void **state)
{
    if (sample_setup(state))
        return -1;
    sample_pictures("seven/train", 7, 12, 6);
    seven = open_folder("seven");
    return 0;
}

static int teardown(void **state)
{
    dataset_free(seven);
    return sample_teardown(state);
}

static LoaderOptions of_seven(void)
{
    return (LoaderOptions){
        .dataset = seven, .augment = jitter, .batch_size = 2, .seed = 5, .epoch = 1};
}

static Loader *open_loader(const LoaderOptions *options)
{
    GError *error = NULL;
    Loader *loader = loader_new(options, &error);

    if (!loader)
        fail_msg("%s", error->message);
    return loader;
}

static const Batch *next(Loader *loader)
{
    GError *error = NULL;
    const Batch *batch = loader_next(loader, &error);

    if (!batch)
        fail_msg("%s", error->message);
    return batch;
}

/* All that there is to know of a batch. */
static char *describe(const Batch *batch)
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA1);
    gsize pixels = (gsize)batch->n * batch->width * batch->height;

    g_checksum_update(sum, (const guchar *)batch->in, pixels * 3 * sizeof(float));
    g_checksum_update(sum, (const guchar *)batch->out, pixels * sizeof(float));
    g_checksum_update(sum, (const guchar *)batch->pairs, batch->n * sizeof(guint));
    char *text = g_strdup_printf("%u %u %d x %d %s", batch->epoch, (guint)batch->index,
                                 batch->width, batch->height, g_checksum_get_string(sum));
    g_checksum_free(sum);
    return text;
}

/* Returns: (transfer full): @n batches of a new loader. */
static GPtrArray *describe_all(const LoaderOptions *options, int n)
{
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Loader) loader = open_loader(options);

    for (int i = 0; i < n; i++)
        g_ptr_array_add(texts, describe(next(loader)));
    return texts;
}

static void assert_all_equal(const GPtrArray *a, const GPtrArray *b, guint b_start)
{
    for (guint i = 0; i < a->len && b_start + i < b->len; i++)
        assert_string_equal(a->pdata[i], b->pdata[b_start + i]);
}

/* ---- the same bytes ---- */

static void test_threads(void **state)
{
    LoaderOptions options = of_seven();
    g_autoptr(GPtrArray) alone = describe_all(&options, 20);

    for (options.threads = 1; options.threads <= 4; options.threads++) {
        g_autoptr(GPtrArray) texts = describe_all(&options, 20);
        assert_all_equal(texts, alone, 0);
    }
}

static void test_start_in_the_middle(void **state)
{
    LoaderOptions options = of_seven();
    g_autoptr(GPtrArray) whole = describe_all(&options, 20);

    for (guint start = 1; start < 10; start++) {
        options.epoch = 1 + start / 3;
        options.index = start % 3;
        options.threads = start % 3;
        g_autoptr(GPtrArray) texts = describe_all(&options, 10);
        assert_all_equal(texts, whole, start);
    }
    options.epoch = 1; /* a run that was interrupted at the very end of an epoch */
    options.index = 3;
    g_autoptr(GPtrArray) texts = describe_all(&options, 3);
    assert_all_equal(texts, whole, 3);
}

static void test_seeds_differ(void **state)
{
    LoaderOptions options = of_seven();
    g_autoptr(GPtrArray) five = describe_all(&options, 1);

    options.seed = 6;
    g_autoptr(GPtrArray) six = describe_all(&options, 1);
    assert_string_not_equal(five->pdata[0], six->pdata[0]);
}

/* ---- which pairs ---- */

static void test_epochs_are_permutations(void **state)
{
    LoaderOptions options = of_seven();
    guint before[7] = {0};

    options.batch_size = 1;
    g_autoptr(Loader) loader = open_loader(&options);
    assert_int_equal(loader_get_batches(loader), 7);
    for (guint epoch = 1; epoch <= 4; epoch++) {
        guint order[7], seen = 0;
        for (guint i = 0; i < 7; i++) {
            const Batch *batch = next(loader);
            assert_int_equal(batch->epoch, epoch);
            assert_int_equal(batch->index, i);
            assert_int_equal(batch->per_epoch, 7);
            order[i] = batch->pairs[0];
            seen |= 1u << order[i];
        }
        assert_int_equal(seen, 0x7f);
        assert_memory_not_equal(order, before, sizeof(order));
        memcpy(before, order, sizeof(order));
    }
}

static void test_serial(void **state)
{
    LoaderOptions options = of_seven();

    options.serial = TRUE;
    g_autoptr(Loader) loader = open_loader(&options);
    for (guint i = 0; i < 9; i++) {
        const Batch *batch = next(loader);
        assert_int_equal(batch->n, 2);
        assert_int_equal(batch->pairs[0], i % 3 * 2);
        assert_int_equal(batch->pairs[1], i % 3 * 2 + 1);
    }
}

static void test_fewer_pairs_than_a_batch(void **state)
{
    LoaderOptions options = of_seven();

    options.batch_size = 16;
    g_autoptr(Loader) loader = open_loader(&options);
    const Batch *batch = next(loader);
    assert_int_equal(batch->per_epoch, 1);
    for (int i = 7; i < 16; i++)
        assert_int_equal(batch->pairs[i], batch->pairs[i - 7]);
    assert_int_equal(next(loader)->epoch, 2);
}

/* Pictures of one colour each, so that every value tells which pair it is of. */
static void test_layout(void **state)
{
    LoaderOptions options = of_seven();

    for (int i = 0; i < 3; i++) {
        g_autofree char *file = g_strdup_printf("plain/train/%d.png", i);
        g_autoptr(Picture) picture = sample_draw(16, 8, 3, 0);
        for (int k = 0; k < 16 * 8 * 3; k++)
            picture->data[k] = 10 * i + 3 * (k % 3) + (k / 3 % 16 < 8 ? 0 : 100);
        sample_picture(file, 16, 8, i);
        assert_true(picture_write_png(picture, file, NULL));
    }
    g_autoptr(Dataset) dataset = open_folder("plain");
    options.dataset = dataset;
    options.batch_size = 3;
    g_autoptr(Loader) loader = open_loader(&options);
    const Batch *batch = next(loader);
    for (int i = 0; i < 3; i++) {
        for (int c = 0; c < 3; c++) {
            for (int k = 0; k < 64; k++)
                assert_float_equal(batch->in[(i * 3 + c) * 64 + k],
                                   (10 * batch->pairs[i] + 3 * c) / 127.5 - 1, 1e-6);
        }
        assert_float_equal(batch->out[i * 64], (10 * batch->pairs[i] + 102) / 127.5 - 1, 1e-6);
    }
}

/* The crop of a pair is drawn from its place in the epoch. */
static void test_positions(void **state)
{
    LoaderOptions options = of_seven();
    g_autoptr(Loader) loader = open_loader(&options);
    float x[3 * 64], y[64];

    for (int k = 0; k < 7; k++) {
        const Batch *batch = next(loader);
        for (int i = 0; i < 2; i++) {
            g_autoptr(Picture) in = NULL, out = NULL;
            assert_true(dataset_read(seven, batch->pairs[i], &in, &out, NULL));
            augment_apply(&jitter, 5, batch->epoch, batch->index * 2 + i, in, out, x, y);
            assert_memory_equal(batch->in + i * 3 * 64, x, sizeof(x));
            assert_memory_equal(batch->out + i * 64, y, sizeof(y));
        }
    }
}

/* ---- sizes ---- */

static void test_sizes_of_batches(void **state)
{
    LoaderOptions options = of_seven();
    GError *error = NULL;
    int width, height;

    sample_picture("sizes/train/1.png", 20, 12, 1);
    sample_picture("sizes/train/2.png", 20, 14, 1);
    g_autoptr(Dataset) dataset = open_folder("sizes");
    options.dataset = dataset;
    g_autoptr(Loader) cropping = open_loader(&options);
    loader_get_size(cropping, &width, &height);
    assert_int_equal(width, 8);
    assert_int_equal(height, 8);

    options.augment.preprocess = AUGMENT_NONE;
    assert_null(loader_new(&options, &error));
    assert_error(&error, "pair 1", "10 x 12 pixels and pair 2 10 x 14");

    options.batch_size = 1;
    options.serial = TRUE;
    g_autoptr(Loader) one = open_loader(&options);
    loader_get_size(one, &width, &height);
    assert_int_equal(width, 0);
    assert_int_equal(loader_get_notes(one)->len, 0);
    assert_int_equal(next(one)->height, 12);
    assert_int_equal(next(one)->height, 14);

    options.augment.multiple = 4;
    g_autoptr(Loader) rounding = open_loader(&options);
    assert_int_equal(loader_get_notes(rounding)->len, 1);
    assert_int_equal(next(rounding)->width, 8);

    options.augment.preprocess = AUGMENT_CROP;
    options.augment.crop_height = 13;
    assert_null(loader_new(&options, &error));
    assert_error(&error, "pair 1: ", "10 x 12 pixels are too few");
}

/* ---- pairs that break ---- */

static void unlink_pair(const char *folder, guint pair)
{
    g_autofree char *file = g_strdup_printf("%s/%u.png", folder, pair);

    assert_return_code(unlink(file), 0);
}

static void test_deleted_meanwhile(void **state)
{
    LoaderOptions options = of_seven();

    sample_pictures("shrinking/train", 200, 4, 2);
    g_autoptr(Dataset) dataset = open_folder("shrinking");
    options.dataset = dataset;
    options.augment.load_width = options.augment.load_height = 4;
    options.augment.crop_width = options.augment.crop_height = 4;
    g_autoptr(Loader) loader = open_loader(&options);
    next(loader);
    assert_int_equal(loader_get_skipped(loader), 0);
    unlink_pair("shrinking/train", 17);
    unlink_pair("shrinking/train", 117);

    /* Two epochs meet both of them twice, and tell each once. */
    g_autoptr(GPtrArray) alone = describe_all(&options, 200);
    for (int i = 1; i < 200; i++) {
        g_autofree char *text = describe(next(loader));
        assert_string_equal(text, alone->pdata[i]);
    }
    assert_int_equal(loader_get_problems(loader)->len, 2);
    assert_in_range(loader_get_skipped(loader), 3, 4);

    /* Others take their places, the same with threads. */
    options.threads = 3;
    g_autoptr(GPtrArray) together = describe_all(&options, 200);
    assert_all_equal(together, alone, 0);

    unlink_pair("shrinking/train", 3);
    GError *error = NULL;
    int batches = 0;
    while (loader_next(loader, &error) && batches <= 200)
        batches++;
    assert_in_range(batches, 0, 99);
    assert_error(&error, "shrinking/train", "3 of 200 pairs can no longer be read, more than 1 %");
    assert_null(loader_next(loader, &error));
    assert_error(&error, "shrinking/train", "3 of 200 pairs");
}

/* A loader that starts over a picture that broke deals what one deals that it breaks under. */
static void test_broken_at_the_start(void **state)
{
    const DatasetOptions kept = {.root = "starting",
                                 .phase = "train",
                                 .in_channels = 3,
                                 .out_channels = 1,
                                 .keep_broken = TRUE};
    LoaderOptions options = of_seven();
    int width, height;

    sample_pictures("starting/train", 100, 12, 6);
    g_autoptr(Dataset) whole = dataset_open(&kept, NULL);
    sample_cut("starting/train/0.png", 20);
    g_autoptr(Dataset) broken = dataset_open(&kept, NULL);
    options.dataset = whole;
    g_autoptr(GPtrArray) under = describe_all(&options, 100);
    options.dataset = broken;
    g_autoptr(GPtrArray) over = describe_all(&options, 100);
    assert_all_equal(over, under, 0);

    g_autoptr(Loader) loader = open_loader(&options);
    for (int i = 0; i < 100; i++)
        next(loader);
    assert_in_range(loader_get_skipped(loader), 1, 4);
    assert_int_equal(loader_get_problems(loader)->len, 0); /* the data set tells it */
    loader_get_size(loader, &width, &height);
    assert_true(width == 8 && height == 8);
}

static void test_all_deleted(void **state)
{
    LoaderOptions options = of_seven();
    GError *error = NULL;

    sample_pictures("gone/train", 3, 4, 2);
    g_autoptr(Dataset) dataset = open_folder("gone");
    options.dataset = dataset;
    for (int i = 0; i < 3; i++)
        unlink_pair("gone/train", i);
    for (options.threads = 0; options.threads < 3; options.threads += 2) {
        g_autoptr(Loader) loader = open_loader(&options);
        assert_null(loader_next(loader, &error));
        assert_error(&error, "gone/train", "No such file");
    }
}

/* ---- ends ---- */

/* Not after the batches that the threads are at. */
static void test_free_stops_at_once(void **state)
{
    LoaderOptions options = of_seven();

    options.batch_size = 64;
    options.augment.load_width = options.augment.load_height = 600;
    g_autoptr(Loader) alone = open_loader(&options);
    gint64 start = g_get_monotonic_time();
    next(alone);
    gint64 batch_us = g_get_monotonic_time() - start;

    options.threads = 2;
    g_autoptr(Loader) loader = open_loader(&options);
    start = g_get_monotonic_time();
    g_clear_pointer(&loader, loader_free);
    assert_in_range(g_get_monotonic_time() - start, 0, batch_us / 2);
}

static void test_free_of_nothing(void **state)
{
    loader_free(NULL);
    dataset_free(NULL);
}

static int bench(const char *root, guint threads)
{
    enum { BATCHES = 300 };
    const DatasetOptions dataset_options = {
        .root = root, .phase = "train", .in_channels = 3, .out_channels = 3};
    GError *error = NULL;
    gint64 start = g_get_monotonic_time();
    g_autoptr(Dataset) dataset = dataset_open(&dataset_options, &error);

    if (!dataset) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    printf("%u pairs checked in %.3f s\n", dataset_get_n(dataset),
           (g_get_monotonic_time() - start) / 1e6);
    const LoaderOptions options = {.dataset = dataset,
                                   .augment = {.load_width = 286,
                                               .load_height = 286,
                                               .crop_width = 256,
                                               .crop_height = 256,
                                               .flip = TRUE},
                                   .batch_size = 1,
                                   .threads = threads,
                                   .epoch = 1};
    g_autoptr(Loader) loader = open_loader(&options);
    start = g_get_monotonic_time();
    for (int i = 0; i < BATCHES; i++)
        next(loader);
    printf("%u threads: %.1f pairs/s\n", threads, BATCHES * 1e6 / (g_get_monotonic_time() - start));
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_start_in_the_middle),
        cmocka_unit_test(test_seeds_differ),
        cmocka_unit_test(test_epochs_are_permutations),
        cmocka_unit_test(test_serial),
        cmocka_unit_test(test_fewer_pairs_than_a_batch),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_sizes_of_batches),
        cmocka_unit_test(test_deleted_meanwhile),
        cmocka_unit_test(test_broken_at_the_start),
        cmocka_unit_test(test_all_deleted),
        cmocka_unit_test(test_free_stops_at_once),
        cmocka_unit_test(test_free_of_nothing),
    };

    if (argc == 4 && !strcmp(argv[1], "--bench"))
        return bench(argv[2], atoi(argv[3]));
    return cmocka_run_group_tests_name("batch", tests, setup, teardown);
}
