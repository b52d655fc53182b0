/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which pictures a folder is taken to hold for a network, what is said of them, and what is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "calibration-set.h"
#include "sample-files.h"

#include <string.h>
#include <sys/stat.h>

#define SIDE 16
#define VALUES (3 * SIDE * SIDE)

static const PixModelInfo square = {
    .architecture = "made-up", .in_channels = 3, .out_channels = 3, .width = SIDE, .height = SIDE};

static CalibrationSet *open_as(CalibrationSetOptions options, GError **error)
{
    return calibration_set_open(&options, &square, error);
}

static CalibrationSet *open_folder(const char *folder, GError **error)
{
    return open_as((CalibrationSetOptions){.folder = folder}, error);
}

static void assert_set(CalibrationSetOptions options, guint n, const char *expected)
{
    g_autoptr(CalibrationSet) set = open_as(options, NULL);

    assert_non_null(set);
    g_autofree char *found = calibration_set_describe(set);
    assert_string_equal(found, expected);
    assert_int_equal(calibration_set_get_n(set), n);
}

static void test_what_it_takes(void **state)
{
    sample_pictures("inputs", 3, SIDE, SIDE);
    assert_set((CalibrationSetOptions){.folder = "inputs"}, 3,
               "inputs: 3 pictures are the inputs, of 16 x 16");
    sample_pictures("pairs/val", 4, 2 * SIDE, SIDE);
    sample_pictures("pairs/odd", 2, 40, 24);
    assert_set((CalibrationSetOptions){.folder = "pairs"}, 4,
               "pairs/val: the left halves of 4 pairs are the inputs, of 16 x 16");
    assert_set((CalibrationSetOptions){.folder = "pairs", .b_to_a = TRUE}, 4,
               "pairs/val: the right halves of 4 pairs are the inputs, of 16 x 16");
    assert_set(
        (CalibrationSetOptions){.folder = "pairs", .split = "odd"}, 2,
        "pairs/odd: the left halves of 2 pairs are the inputs, of 20 x 24, resized to 16 x 16");
    assert_set((CalibrationSetOptions){.folder = "pairs/val"}, 4,
               "pairs/val: 4 pictures are the inputs, of 32 x 16, resized to 16 x 16");
    sample_picture("inputs/9.png", 8, SIDE, 9);
    sample_picture("inputs/91.png", SIDE, SIDE, 9);
    assert_set((CalibrationSetOptions){.folder = "inputs"}, 5,
               "inputs: 5 pictures are the inputs, of several sizes, resized to 16 x 16");
}

/* One picture beside a data set is not what was meant, unless pairs are asked for. */
static void test_both(void **state)
{
    GError *error = NULL;

    sample_pictures("both/val", 2, 2 * SIDE, SIDE);
    sample_picture("both/sample.png", SIDE, SIDE, 1);
    assert_null(open_folder("both", &error));
    assert_error(&error, "both",
                 "holds pictures and a folder val, name its pairs with --split val");
    assert_set((CalibrationSetOptions){.folder = "both", .pairs = TRUE}, 2,
               "both/val: the left halves of 2 pairs are the inputs, of 16 x 16");
    sample_pictures("tested/test", 2, 2 * SIDE, SIDE);
    g_autoptr(CalibrationSet) other = open_folder("tested", NULL);
    const GPtrArray *notes = dataset_get_notes(calibration_set_get_pairs(other));
    assert_int_equal(notes->len, 1);
    assert_non_null(strstr(notes->pdata[0], "tested/test stands in for it"));
}

static void test_what_it_lacks(void **state)
{
    const PixModelInfo deep = {.architecture = "deep", .in_channels = 5, .out_channels = 3};
    const CalibrationSetOptions inputs = {.folder = "horses/valA"};
    GError *error = NULL;

    sample_pictures("horses/valA", 2, SIDE, SIDE);
    sample_pictures("horses/valB", 2, SIDE, SIDE);
    assert_null(open_folder("horses", &error));
    assert_error(&error, "horses: ", "name the folder that holds the inputs");
    sample_pictures("two/A", 2, SIDE, SIDE);
    sample_pictures("two/B", 2, SIDE, SIDE);
    assert_null(open_folder("two", &error));
    assert_error(&error, "two: ", "name the folder that holds the inputs");
    assert_null(open_as((CalibrationSetOptions){.folder = "two", .split = "C"}, &error));
    assert_error(&error, "two: ", "has no folder C (it holds A, B)");
    assert_null(open_folder("nowhere", &error));
    assert_error(&error, "nowhere: ", "No such file or directory");
    assert_null(calibration_set_open(&inputs, &deep, &error));
    assert_error(&error, "deep", "5 channels");
}

static void test_broken_pictures(void **state)
{
    GError *error = NULL;

    sample_pictures("broken", 5, SIDE, SIDE);
    sample_cut("broken/3.png", 20);
    assert_null(open_folder("broken", &error));
    assert_error(&error, "broken/3.png", "");
    sample_pictures("worn/val", 101, 4, 2);
    sample_cut("worn/val/42.png", 20);
    g_autoptr(CalibrationSet) worn = open_folder("worn", NULL);
    assert_int_equal(calibration_set_get_n(worn), 100);
    assert_int_equal(dataset_get_problems(calibration_set_get_pairs(worn))->len, 1);
    g_autofree char *name = calibration_set_get_name(worn, 42);
    assert_string_equal(name, "worn/val/43");
}

/* @left: the column that the input begins at in "read/val/0.png". */
static void assert_read(CalibrationSetOptions options, int left)
{
    g_autoptr(CalibrationSet) set = open_as(options, NULL);
    g_autoptr(Picture) whole = sample_draw(2 * SIDE, SIDE, 3, 0);
    g_autofree float *x = g_new(float, VALUES);

    assert_true(calibration_set_read(set, 0, x, NULL));
    for (int i = 0; i < VALUES; i++) {
        int channel = i / (SIDE * SIDE), row = i / SIDE % SIDE, column = left + i % SIDE;
        int value = whole->data[(row * 2 * SIDE + column) * 3 + channel];
        assert_float_equal(x[i], value / 127.5 - 1, 1e-6);
    }
}

static void test_reading(void **state)
{
    sample_pictures("read/val", 1, 2 * SIDE, SIDE);
    assert_read((CalibrationSetOptions){.folder = "read"}, 0);
    assert_read((CalibrationSetOptions){.folder = "read", .b_to_a = TRUE}, SIDE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_it_takes), cmocka_unit_test(test_both),
        cmocka_unit_test(test_what_it_lacks), cmocka_unit_test(test_broken_pictures),
        cmocka_unit_test(test_reading),
    };
    return cmocka_run_group_tests_name("calibration-set", tests, sample_setup, sample_teardown);
}
