/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sizes, crops and flips; that both pictures of a pair share them; and the values that come out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "augment.h"
#include "resample.h"
#include "sample-files.h"

#include <string.h>

static const AugmentOptions paper = {.preprocess = AUGMENT_RESIZE_AND_CROP,
                                     .load_width = 20,
                                     .load_height = 19,
                                     .crop_width = 16,
                                     .crop_height = 16,
                                     .flip = TRUE,
                                     .multiple = 4};

/* The value of pixel @i of @picture, which is all that a tensor may hold. */
static float value(const Picture *picture, int i)
{
    return picture->data[i] / 127.5f - 1;
}

static void test_sizes(void **state)
{
    static const struct {
        AugmentPreprocess preprocess;
        int width, height, net_width, net_height;
    } cases[] = {
        {AUGMENT_RESIZE_AND_CROP, 100, 3, 16, 16},
        {AUGMENT_CROP, 16, 17, 16, 16},
        {AUGMENT_SCALE_WIDTH, 40, 80, 20, 40},
        {AUGMENT_SCALE_WIDTH, 40, 10, 20, 16}, /* as high as the crop */
        {AUGMENT_SCALE_WIDTH, 20, 25, 20, 24}, /* 25 / 4 is 6.25 */
        {AUGMENT_SCALE_WIDTH_AND_CROP, 40, 80, 16, 16},
        {AUGMENT_SCALE_WIDTH_AND_CROP, 40, 10, 16, 16},
        {AUGMENT_NONE, 12, 8, 12, 8},
        {AUGMENT_NONE, 13, 11, 12, 12},
        {AUGMENT_NONE, 10, 14, 8, 16}, /* halves to the even multiple */
        {AUGMENT_NONE, 1, 2, 4, 4},    /* and none to nothing */
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        AugmentOptions options = paper;
        int width, height;
        options.preprocess = cases[i].preprocess;
        assert_true(
            augment_get_size(&options, cases[i].width, cases[i].height, &width, &height, NULL));
        if (width != cases[i].net_width || height != cases[i].net_height)
            fail_msg("%s of %d x %d: %d x %d", augment_preprocess[cases[i].preprocess],
                     cases[i].width, cases[i].height, width, height);
    }
}

static void test_too_small(void **state)
{
    AugmentOptions options = paper;
    GError *error = NULL;
    int width, height;

    options.preprocess = AUGMENT_CROP;
    assert_false(augment_get_size(&options, 15, 40, &width, &height, &error));
    assert_error(&error, "15 x 40", "too few to crop 16 x 16");
    options.preprocess = AUGMENT_RESIZE_AND_CROP;
    options.load_height = 15;
    assert_false(augment_get_size(&options, 40, 40, &width, &height, &error));
    assert_error(&error, "20 x 15", "too few to crop 16 x 16");
}

/* Whether @x is @large from (@left, @top) on, perhaps flipped. */
static gboolean is_crop(const Picture *large, int left, int top, gboolean flip, const float *x)
{
    int channels = large->channels;

    for (int c = 0; c < channels; c++) {
        for (int row = 0; row < 16; row++) {
            for (int column = 0; column < 16; column++) {
                int from = left + (flip ? 15 - column : column);
                int pixel = ((top + row) * large->width + from) * channels + c;
                if (x[(c * 16 + row) * 16 + column] != value(large, pixel))
                    return FALSE;
            }
        }
    }
    return TRUE;
}

/* Finds the crop that @x is of @large. Returns: flip * 20 + top * 5 + left, or -1. */
static int find_crop(const Picture *large, const float *x)
{
    for (int i = 0; i < 40; i++) {
        if (is_crop(large, i % 5, i / 5 % 4, i / 20, x))
            return i;
    }
    return -1;
}

static void test_crops_and_flips(void **state)
{
    enum { DRAWS = 4000 };
    g_autoptr(Picture) in = sample_draw(13, 11, 3, 0);
    g_autoptr(Picture) out = sample_draw(13, 11, 1, 3);
    g_autoptr(Picture) large_in = picture_resize_bicubic(in, 20, 19);
    g_autoptr(Picture) large_out = picture_resize_bicubic(out, 20, 19);
    float x[3 * 256], y[256];
    int counts[40] = {0};

    for (int i = 0; i < DRAWS; i++) {
        augment_apply(&paper, 1, 1 + i % 3, i, in, out, x, y);
        int crop = find_crop(large_in, x);
        assert_in_range(crop, 0, 39);
        assert_true(is_crop(large_out, crop % 5, crop / 5 % 4, crop / 20, y));
        counts[crop]++;
    }
    /* Each of the 40 about as often: five standard deviations of a binomial distribution. */
    for (int i = 0; i < 40; i++)
        assert_in_range(counts[i], DRAWS / 40 - 50, DRAWS / 40 + 50);
}

static void test_no_flip(void **state)
{
    AugmentOptions options = paper;
    g_autoptr(Picture) in = sample_draw(20, 19, 3, 0);
    float with[3 * 256], without[3 * 256], y[3 * 256];

    options.flip = FALSE;
    for (int i = 0; i < 50; i++) {
        augment_apply(&paper, 1, 1, i, in, in, with, y);
        augment_apply(&options, 1, 1, i, in, in, without, y);
        assert_int_equal(find_crop(in, without), find_crop(in, with) % 20);
    }
}

/* Each of them draws otherwise, and the same ones draw the same. */
static void test_seed_epoch_and_position(void **state)
{
    static const struct {
        guint64 seed;
        guint epoch;
        guint64 position;
    } draws[] = {{1, 1, 0},         {2, 1, 0}, {1, 2, 0}, {1, 1, 1}, {1 | 1ull << 32, 1, 0},
                 {1, 1, 1ull << 32}};
    g_autoptr(Picture) in = sample_draw(20, 19, 1, 0);
    float x[256], y[256];
    g_autoptr(GPtrArray) crops = g_ptr_array_new_with_free_func(g_free);

    for (gsize i = 0; i < G_N_ELEMENTS(draws); i++) {
        GString *text = g_string_new(NULL);
        for (int k = 0; k < 20; k++) {
            augment_apply(&paper, draws[i].seed, draws[i].epoch, draws[i].position + 100 * k, in,
                          in, x, y);
            g_string_append_printf(text, "%d ", find_crop(in, x));
        }
        g_ptr_array_add(crops, g_string_free(text, FALSE));
        for (gsize k = 0; k < i; k++)
            assert_string_not_equal(crops->pdata[i], crops->pdata[k]);
    }
}

static void test_values(void **state)
{
    AugmentOptions options = paper;
    g_autoptr(Picture) ramp = picture_new(256, 4, 1);
    g_autofree float *x = g_new(float, 1024);

    for (int i = 0; i < 1024; i++)
        ramp->data[i] = i;
    options.preprocess = AUGMENT_NONE;
    augment_plain(&options, ramp, x);
    assert_true(x[0] == -1 && x[255] == 1);
    for (int i = 0; i < 256; i++)
        assert_float_equal(x[i], i / 127.5 - 1, 1e-6);
}

static void test_plain(void **state)
{
    AugmentOptions options = paper;
    g_autoptr(Picture) in = sample_draw(20, 22, 3, 0);
    g_autoptr(Picture) resized = picture_resize_bicubic(in, 16, 16);
    float x[3 * 256];

    augment_plain(&options, in, x);
    assert_true(is_crop(resized, 0, 0, FALSE, x));
    options.preprocess = AUGMENT_CROP;
    augment_plain(&options, in, x);
    assert_true(is_crop(in, 2, 3, FALSE, x));
    options.preprocess = AUGMENT_SCALE_WIDTH_AND_CROP;
    augment_plain(&options, in, x);
    assert_true(is_crop(in, 2, 3, FALSE, x));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_too_small),
        cmocka_unit_test(test_crops_and_flips),
        cmocka_unit_test(test_no_flip),
        cmocka_unit_test(test_seed_epoch_and_position),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_plain),
    };
    return cmocka_run_group_tests_name("augment", tests, NULL, NULL);
}
