/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which pairs a data set holds, what it says of those that it does not, and what it reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dataset.h"
#include "fingerprint.h"
#include "image-file.h"
#include "sample-files.h"

#include <pix2pix/pix.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static Dataset *open_root(const char *root, const char *phase, GError **error)
{
    const DatasetOptions options = {
        .root = root, .phase = phase, .in_channels = 3, .out_channels = 3};

    return dataset_open(&options, error);
}

static Dataset *open_two(const char *a, const char *b, GError **error)
{
    const DatasetOptions options = {
        .a_folder = a, .b_folder = b, .in_channels = 3, .out_channels = 3};

    return dataset_open(&options, error);
}

/* ---- what it finds ---- */

static void test_order_and_sizes(void **state)
{
    static const char *const files[] = {"order/train/10.png", "order/train/2.jpg",
                                        "order/train/b.PNG", "order/train/1.png"};
    static const char *const names[] = {"1", "2", "10", "b"};
    int width, height;

    for (int i = 0; i < 4; i++)
        sample_picture(files[i], 40, 30, i);
    sample_bytes("order/train/notes.txt", "x", 1);
    sample_bytes("order/train/.hidden.png", "x", 1);
    assert_return_code(mkdir("order/train/more", 0777), 0);
    g_autoptr(Dataset) dataset = open_root("order", "train", NULL);
    assert_non_null(dataset);
    assert_int_equal(dataset_get_n(dataset), 4);
    for (int i = 0; i < 4; i++)
        assert_string_equal(dataset_get_name(dataset, i), names[i]);
    dataset_get_size(dataset, 0, &width, &height);
    assert_int_equal(width, 20);
    assert_int_equal(height, 30);
    assert_string_equal(dataset_get_folder(dataset), "order/train");
    assert_int_equal(dataset_get_problems(dataset)->len, 0);
    assert_int_equal(dataset_get_notes(dataset)->len, 0);
}

static void test_max_size(void **state)
{
    DatasetOptions options = {
        .root = "few", .phase = "train", .in_channels = 3, .out_channels = 3, .max_size = 2};

    sample_pictures("few/train", 3, 8, 4);
    g_autoptr(Dataset) two = dataset_open(&options, NULL);
    assert_int_equal(dataset_get_n(two), 2);
    assert_string_equal(dataset_get_name(two, 1), "1");
    options.max_size = 5;
    g_autoptr(Dataset) all = dataset_open(&options, NULL);
    assert_int_equal(dataset_get_n(all), 3);
}

static void assert_stands_in(const char *root, const char *phase, const char *folder)
{
    g_autoptr(Dataset) dataset = open_root(root, phase, NULL);

    assert_non_null(dataset);
    assert_string_equal(dataset_get_folder(dataset), folder);
    assert_int_equal(dataset_get_notes(dataset)->len, 1);
    assert_non_null(strstr(dataset_get_notes(dataset)->pdata[0], folder));
}

static void test_folders_that_stand_in(void **state)
{
    const DatasetOptions exact = {
        .root = "has-test", .phase = "val", .exact = TRUE, .in_channels = 3, .out_channels = 3};
    GError *error = NULL;

    sample_pictures("has-test/test", 2, 8, 4);
    assert_stands_in("has-test", "val", "has-test/test");
    sample_pictures("has-val/val", 2, 8, 4);
    assert_stands_in("has-val", "test", "has-val/val");
    sample_pictures("flat", 2, 8, 4);
    assert_stands_in("flat", "train", "flat");
    assert_null(open_root("flat", "val", &error));
    assert_error(&error, "flat", "has no folder val (it holds 0.png, 1.png)");
    assert_null(open_root("has-val", "train", &error));
    assert_error(&error, "has-val", "has no folder train (it holds val)");
    assert_null(dataset_open(&exact, &error));
    assert_error(&error, "has-test", "has no folder val (it holds test)");
}

static void test_single_pair_is_noted(void **state)
{
    sample_pictures("single/train", 1, 8, 4);
    g_autoptr(Dataset) dataset = open_root("single", "train", NULL);
    assert_int_equal(dataset_get_notes(dataset)->len, 1);
    assert_non_null(strstr(dataset_get_notes(dataset)->pdata[0], "a single pair"));
}

/* ---- what it reads ---- */

static void assert_same(const Picture *a, const Picture *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->channels, b->channels);
    assert_memory_equal(a->data, b->data, (size_t)a->width * a->height * a->channels);
}

/* Every number of channels and both directions give the halves of @a and @b, converted. */
static void check_reading(DatasetOptions options, const Picture *a, const Picture *b)
{
    static const int channels[] = {1, 3, 4};

    for (int i = 0; i < 18; i++) {
        options.in_channels = channels[i % 3];
        options.out_channels = channels[i / 3 % 3];
        options.b_to_a = i / 9;
        g_autoptr(Dataset) dataset = dataset_open(&options, NULL);
        g_autoptr(Picture) in = NULL, out = NULL;
        assert_true(dataset_read(dataset, 0, &in, &out, NULL));
        const Picture *from = options.b_to_a ? b : a, *to = options.b_to_a ? a : b;
        g_autoptr(Picture) want_in = picture_convert(from, options.in_channels);
        g_autoptr(Picture) want_out = picture_convert(to, options.out_channels);
        assert_same(in, want_in);
        assert_same(out, want_out);
    }
}

static void test_reading_side_by_side(void **state)
{
    const DatasetOptions options = {.root = "read", .phase = "train"};

    g_autoptr(Picture) whole = sample_draw(26, 9, 4, 5);
    g_autoptr(Picture) a = picture_crop(whole, 0, 0, 13, 9);
    g_autoptr(Picture) b = picture_crop(whole, 13, 0, 13, 9);
    sample_pictures("read/train", 1, 2, 1);
    assert_true(picture_write_png(whole, "read/train/0.png", NULL));
    check_reading(options, a, b);
}

static void test_reading_two_folders(void **state)
{
    const DatasetOptions options = {.a_folder = "two/a", .b_folder = "two/b"};

    g_autoptr(Picture) a = sample_draw(13, 9, 4, 1);
    g_autoptr(Picture) b = sample_draw(13, 9, 4, 2);
    sample_pictures("two/a", 1, 2, 1);
    sample_pictures("two/b", 1, 2, 1);
    assert_true(picture_write_png(a, "two/a/0.png", NULL));
    assert_true(picture_write_png(b, "two/b/0.png", NULL));
    check_reading(options, a, b);
}

static void test_endings_may_differ(void **state)
{
    sample_picture("ends/a/x.1.png", 8, 4, 1);
    sample_picture("ends/b/x.1.jpg", 8, 4, 1);
    g_autoptr(Dataset) dataset = open_two("ends/a", "ends/b", NULL);
    assert_non_null(dataset);
    assert_string_equal(dataset_get_name(dataset, 0), "x.1");
    assert_string_equal(dataset_get_folder(dataset), "ends/a and ends/b");
}

static void test_other_size_than_before(void **state)
{
    Picture *in, *out;
    GError *error = NULL;

    sample_pictures("late/train", 2, 8, 4);
    g_autoptr(Dataset) dataset = open_root("late", "train", NULL);
    sample_picture("late/train/1.png", 8, 6, 1);
    assert_false(dataset_read(dataset, 1, &in, &out, &error));
    assert_error(&error, "late/train/1.png", "is 8 x 6 pixels now and was 8 x 4");
    assert_return_code(unlink("late/train/1.png"), 0);
    assert_false(dataset_read(dataset, 1, &in, &out, &error));
    assert_error(&error, "late/train/1.png", "No such file");
}

/* A photo that lies on its side, and the upright drawing that belongs to it. */
static void test_turned_partner(void **state)
{
    g_autofree char *photo = NULL;
    gsize bytes;

    assert_true(g_file_get_contents(PICTURES "/turned.jpg", &photo, &bytes, NULL));
    sample_bytes("turned/a/1.jpg", photo, bytes);
    sample_picture("turned/b/1.png", 16, 32, 1);
    g_autoptr(Dataset) dataset = open_two("turned/a", "turned/b", NULL);
    g_autoptr(Picture) in = NULL, out = NULL;
    assert_non_null(dataset);
    assert_true(dataset_read(dataset, 0, &in, &out, NULL));
    assert_int_equal(in->height, 32);
}

/* ---- what is wrong with it ---- */

static void test_folders_that_are_wrong(void **state)
{
    GError *error = NULL;

    assert_null(open_root("nowhere", "train", &error));
    assert_true(g_error_matches(error, PIX_ERROR, PIX_ERROR_NOT_FOUND));
    assert_error(&error, "nowhere", "No such file or directory");
    assert_null(open_two("nowhere/a", "nowhere/b", &error));
    assert_error(&error, "nowhere/a", "No such file or directory");

    sample_bytes("file", "x", 1);
    assert_null(open_root("file", "train", &error));
    assert_error(&error, "file", "Not a directory");
    sample_bytes("phase/train", "x", 1);
    assert_null(open_root("phase", "train", &error));
    assert_error(&error, "phase/train", "Not a directory");

    assert_return_code(symlink("loop", "loop"), 0);
    assert_null(open_root("loop", "train", &error));
    assert_error(&error, "loop", "symbolic links");
}

static void test_nothing_in_it(void **state)
{
    GError *error = NULL;

    sample_bytes("none/train/a.txt", "x", 1);
    sample_bytes("none/train/b.txt", "x", 1);
    sample_bytes("none/train/c.txt", "x", 1);
    sample_bytes("none/train/d.txt", "x", 1);
    assert_null(open_root("none", "train", &error));
    assert_error(&error, "none/train", "no pictures (it holds a.txt, b.txt, c.txt and 1 more)");
    assert_return_code(mkdir("hollow", 0777), 0);
    assert_null(open_root("hollow", "train", &error));
    assert_error(&error, "hollow", "it holds nothing");
    sample_pictures("a-only/a", 1, 8, 4);
    assert_null(open_two("a-only/a", "hollow", &error));
    assert_error(&error, "hollow", "holds no pictures");
}

static void test_other_layouts(void **state)
{
    GError *error = NULL;

    sample_pictures("unpaired/trainA", 2, 8, 4);
    sample_pictures("unpaired/trainB", 2, 8, 4);
    assert_null(open_root("unpaired", "train", &error));
    assert_error(&error, "unpaired", "this is an unpaired data set, and pix2pix needs pairs");
    sample_pictures("parted/train/A", 2, 8, 4);
    sample_pictures("parted/train/B", 2, 8, 4);
    assert_null(open_root("parted", "train", &error));
    assert_error(&error, "parted/train", "give its A and B as two folders");
}

/* Root may list it all the same; then what is wrong is that it is empty. */
static void test_unreadable_folder(void **state)
{
    GError *error = NULL;

    assert_return_code(mkdir("closed", 0777), 0);
    assert_return_code(mkdir("closed/train", 0), 0);
    assert_null(open_root("closed", "train", &error));
    assert_error(&error, "closed/train", geteuid() ? "Permission denied" : "no pictures");
    assert_return_code(chmod("closed/train", 0777), 0);
}

static void test_partners(void **state)
{
    GError *error = NULL;

    sample_pictures("part/a", 6, 8, 4);
    sample_pictures("part/b", 2, 8, 4);
    assert_null(open_two("part/a", "part/b", &error));
    assert_error(&error, "part/b",
                 "lacks the partners of 4 of 6 pictures (part/a/2.png, "
                 "part/a/3.png, part/a/4.png and 1 more)");
    assert_null(open_two("part/b", "part/a", &error));
    assert_error(&error, "part/b", "lacks the partners of 4 of 6 pictures");
    sample_picture("part/b/1.jpg", 8, 4, 1);
    assert_null(open_two("part/b", "part/a", &error));
    assert_error(&error, "part/b/1.jpg", "part/b/1.png have the same name");
}

/* In a small data set one broken file is more than 1 %. */
static void test_broken_files_of_a_small_set(void **state)
{
    GError *error = NULL;

    sample_pictures("odd/train", 3, 8, 4);
    sample_picture("odd/train/1.png", 7, 4, 1);
    assert_null(open_root("odd", "train", &error));
    assert_error(&error, "odd/train/1.png", "is 7 pixels wide");

    sample_pictures("unlike/a", 3, 8, 4);
    sample_pictures("unlike/b", 3, 8, 4);
    sample_picture("unlike/b/2.png", 8, 5, 1);
    assert_null(open_two("unlike/a", "unlike/b", &error));
    assert_error(&error, "unlike/a/2.png", "is 8 x 4 pixels and unlike/b/2.png is 8 x 5");

    sample_pictures("bad/train", 99, 8, 4);
    sample_cut("bad/train/7.png", 20);
    assert_null(open_root("bad", "train", &error));
    assert_error(&error, "bad/train", "1 of 99 pairs are broken, more than 1 %: bad/train/7.png: ");
}

static void test_broken_files_of_a_large_set(void **state)
{
    GError *error = NULL;

    sample_pictures("large/train", 200, 8, 4);
    sample_cut("large/train/7.png", 20);
    sample_bytes("large/train/8.png", "", 0);
    g_autoptr(Dataset) dataset = open_root("large", "train", &error);
    assert_non_null(dataset);
    assert_int_equal(dataset_get_n(dataset), 198);
    assert_string_equal(dataset_get_name(dataset, 7), "9");
    const GPtrArray *problems = dataset_get_problems(dataset);
    assert_int_equal(problems->len, 2);
    assert_non_null(strstr(problems->pdata[0], "large/train/7.png: "));
    assert_non_null(strstr(problems->pdata[1], "large/train/8.png: "));

    assert_return_code(unlink("large/train/9.png"), 0);
    assert_return_code(symlink("9.png", "large/train/9.png"), 0);
    assert_return_code(mkdir("large/train/folder.png", 0777), 0);
    assert_null(open_root("large", "train", &error));
    assert_error(&error, "large/train/9.png", "4 of 201 pairs are broken");
}

static void test_broken_files_keep_their_numbers(void **state)
{
    const DatasetOptions options = {
        .root = "kept", .phase = "train", .in_channels = 3, .out_channels = 3, .keep_broken = TRUE};
    GError *error = NULL;
    int width, height;
    Picture *in, *out;

    sample_pictures("kept/train", 100, 8, 4);
    sample_cut("kept/train/7.png", 20);
    g_autoptr(Dataset) dataset = dataset_open(&options, &error);
    assert_non_null(dataset);
    assert_int_equal(dataset_get_n(dataset), 100);
    assert_string_equal(dataset_get_name(dataset, 7), "7");
    assert_int_equal(dataset_get_problems(dataset)->len, 1);
    dataset_get_size(dataset, 7, &width, &height);
    assert_true(dataset_is_broken(dataset, 7) && !dataset_is_broken(dataset, 8));
    assert_int_equal(width + height + dataset_get_bytes(dataset, 7), 0);

    sample_picture("kept/train/7.png", 8, 4, 1); /* too late */
    assert_false(dataset_read(dataset, 7, &in, &out, &error));
    assert_error(&error, "kept/train/7.png", "was broken at the start");
    sample_cut("kept/train/7.png", 20);
    sample_cut("kept/train/8.png", 20);
    assert_null(dataset_open(&options, &error));
    assert_error(&error, "kept/train", "2 of 100 pairs are broken, more than 1 %");
}

/* As one that was damaged on its way: header and end are as they were. */
static void damage(const char *file)
{
    g_autofree char *data = NULL;
    gsize bytes;

    assert_true(g_file_get_contents(file, &data, &bytes, NULL));
    memset(data + bytes / 2, 0, bytes / 4);
    sample_bytes(file, data, bytes);
}

typedef struct {
    guint calls, done, total;
} Seen;

static gboolean stop_at_once(guint done, guint total, gpointer data)
{
    Seen *seen = data;

    assert_true(done >= seen->done && done <= total);
    *seen = (Seen){seen->calls + 1, done, total};
    return FALSE;
}

static void test_broken_in_between(void **state)
{
    DatasetOptions options = {
        .root = "between", .phase = "train", .in_channels = 3, .out_channels = 3};
    GError *error = NULL;

    sample_pictures("between/train", 100, 80, 40);
    damage("between/train/7.png");
    g_autoptr(Dataset) unseen = dataset_open(&options, &error);
    assert_non_null(unseen);
    assert_int_equal(dataset_get_problems(unseen)->len, 0);
    options.decode_threads = 3;
    g_autoptr(Dataset) dataset = dataset_open(&options, &error);
    assert_non_null(dataset);
    assert_int_equal(dataset_get_problems(dataset)->len, 1);
    assert_non_null(strstr(dataset_get_problems(dataset)->pdata[0], "between/train/7.png: "));
    assert_int_equal(dataset_get_n(dataset), 100); /* as for who does not decode */
    assert_true(dataset_is_broken(dataset, 7) && !dataset_is_broken(dataset, 8));
    assert_int_equal(dataset_get_bytes(dataset, 7), dataset_get_bytes(unseen, 7));

    for (int i = 30; i < 60; i++) {
        g_autofree char *file = g_strdup_printf("between/train/%d.png", i);
        damage(file);
    }
    assert_null(dataset_open(&options, &error));
    assert_non_null(strstr(error->message, "between/train/48.png: "));
    assert_null(strstr(error->message, "between/train/49.png: "));
    assert_error(&error, "between/train/7.png", "31 of 100 pairs are broken, more than 1 %");
}

static void test_decoding_is_interrupted(void **state)
{
    Seen seen = {0};
    const DatasetOptions options = {.root = "long",
                                    .phase = "train",
                                    .in_channels = 3,
                                    .out_channels = 3,
                                    .decode_threads = 1,
                                    .on_checked = stop_at_once,
                                    .on_checked_data = &seen};

    sample_pictures("long/train", 40, 3000, 700);
    damage("long/train/39.png");
    g_autoptr(Dataset) dataset = dataset_open(&options, NULL);
    assert_non_null(dataset); /* the last one is not seen any more */
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.total, 40);
}

/* ---- its fingerprint ---- */

static Dataset *open_print(void)
{
    const DatasetOptions options = {.root = "print",
                                    .phase = "train",
                                    .in_channels = 3,
                                    .out_channels = 3,
                                    .keep_broken = TRUE};
    Dataset *dataset = dataset_open(&options, NULL);

    assert_non_null(dataset);
    return dataset;
}

/* @difference: NULL: none. */
static void assert_print(const char *was, const char *difference)
{
    g_autoptr(Dataset) dataset = open_print();
    g_autofree char *found = fingerprint_compare(dataset, was, 100);

    if (g_strcmp0(found, difference))
        fail_msg("'%s' and not '%s'", found, difference);
}

static void test_fingerprint(void **state)
{
    sample_pictures("print/train", 100, 8, 4);
    g_autoptr(Dataset) dataset = open_print();
    g_autofree char *was = fingerprint_make(dataset);

    assert_print(was, NULL);
    sample_picture("print/train/2.png", 8, 4, 2); /* as it was, at another time */
    assert_print(was, NULL);
    sample_cut("print/train/3.png", 20); /* it breaks */
    assert_print(was, NULL);
    g_autoptr(Dataset) cut = open_print();
    g_autofree char *then = fingerprint_make(cut);
    sample_picture("print/train/3.png", 8, 4, 3); /* and is mended */
    assert_print(then, NULL);

    sample_picture("print/train/2.png", 80, 40, 2);
    assert_print(was, "of the same names, but 1 of 100 pairs are other files by now: 2");
    assert_return_code(rename("print/train/2.png", "print/train/x.png"), 0);
    assert_print(was, "of 100 pairs, and there are 100 other ones");
    assert_return_code(unlink("print/train/x.png"), 0);
    assert_print(was, "of 100 pairs, and there are 99 here");
    assert_print("", "of 100 pairs, and there are 99 here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_sizes),
        cmocka_unit_test(test_max_size),
        cmocka_unit_test(test_folders_that_stand_in),
        cmocka_unit_test(test_single_pair_is_noted),
        cmocka_unit_test(test_reading_side_by_side),
        cmocka_unit_test(test_reading_two_folders),
        cmocka_unit_test(test_endings_may_differ),
        cmocka_unit_test(test_other_size_than_before),
        cmocka_unit_test(test_turned_partner),
        cmocka_unit_test(test_folders_that_are_wrong),
        cmocka_unit_test(test_nothing_in_it),
        cmocka_unit_test(test_other_layouts),
        cmocka_unit_test(test_unreadable_folder),
        cmocka_unit_test(test_partners),
        cmocka_unit_test(test_broken_files_of_a_small_set),
        cmocka_unit_test(test_broken_files_of_a_large_set),
        cmocka_unit_test(test_broken_files_keep_their_numbers),
        cmocka_unit_test(test_broken_in_between),
        cmocka_unit_test(test_decoding_is_interrupted),
        cmocka_unit_test(test_fingerprint),
    };
    return cmocka_run_group_tests_name("dataset", tests, sample_setup, sample_teardown);
}
