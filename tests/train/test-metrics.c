/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The metrics are those of metrics.inc, which make-metrics.py wrote, and tell what they are for:
 * blur, grids, missing texture.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "metrics.h"

#include <math.h>
#include <string.h>

typedef struct {
    int n, width, height;
    guint64 seed;
    double l1, psnr, ssim, swd, levels[3];
} Case;

static const Case cases[] = {
#include "metrics.inc"
};

/* make-metrics.py's draw(). */
static Picture *draw(int number, int width, int height, int noise)
{
    Picture *picture = picture_new(width, height, 3);
    guint8 *p = picture->data;

    for (guint32 y = 0; y < (guint32)height; y++) {
        for (guint32 x = 0; x < (guint32)width; x++) {
            for (guint32 c = 0; c < 3; c++) {
                guint32 field = x / 9 * 7 + y / 5 * 131 + c * 17 + number * 1009 + 1;
                guint32 grain = x + y * 811 + c * 90001 + number * 7000003 + noise * 31337;
                *p++ = (field * 2654435761u >> 13) % 192 + (grain * 2246822519u >> 9) % 64;
            }
        }
    }
    return picture;
}

/* What an output does to its target. */
typedef void (*Change)(Picture *picture);

static void change_nothing(Picture *picture)
{
}

/* The mean of each pixel and its right neighbour. */
static void blur(Picture *picture)
{
    gsize bytes = (gsize)3 * picture->width * picture->height;

    for (gsize i = 0; i + 3 < bytes; i++)
        picture->data[i] = (picture->data[i] + picture->data[i + 3]) / 2;
}

static void add_grid(Picture *picture)
{
    for (int y = 0; y < picture->height; y++) {
        for (int i = 0; i < 3 * picture->width; i++) {
            guint8 *p = picture->data + (gsize)3 * picture->width * y + i;
            *p = MAX(0, *p - ((i / 3 + y) % 2 ? 24 : 0));
        }
    }
}

static void forget_noise(Picture *picture)
{
    for (gsize i = 0; i < (gsize)3 * picture->width * picture->height; i++)
        picture->data[i] &= 0xc0;
}

static void add(Metrics *metrics, const Picture *output, const Picture *target)
{
    GError *error = NULL;

    assert_true(metrics_add(metrics, output, target, &error));
    assert_null(error);
}

static MetricsResult measure_changed(Change change, guint64 seed)
{
    g_autoptr(Metrics) metrics = metrics_new(seed, 1);
    MetricsResult result;

    for (int i = 0; i < 30; i++) {
        g_autoptr(Picture) output = draw(i, 64, 64, 0), target = draw(i, 64, 64, 0);
        change(output);
        add(metrics, output, target);
    }
    metrics_finish(metrics, &result);
    return result;
}

static MetricsResult measure_case(const Case *c, unsigned threads)
{
    g_autoptr(Metrics) metrics = metrics_new(c->seed, threads);
    MetricsResult result;

    for (int i = 0; i < c->n; i++) {
        g_autoptr(Picture) output = draw(i, c->width, c->height, 1 + i % 2);
        g_autoptr(Picture) target = draw(i, c->width, c->height, 0);
        add(metrics, output, target);
    }
    metrics_finish(metrics, &result);
    return result;
}

/* @relative: the error that rounding to float explains, with room. */
static void assert_close(const char *what, const Case *c, double found, double wanted,
                         double relative)
{
    if (!(fabs(found - wanted) <= relative * fabs(wanted)))
        fail_msg("%s of %d pairs of %dx%d: %.9g instead of %.9g", what, c->n, c->width, c->height,
                 found, wanted);
}

static void test_definition(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Case *c = &cases[i];
        MetricsResult result = measure_case(c, 2);
        assert_int_equal(result.n, c->n);
        assert_close("L1", c, result.l1, c->l1, 1e-8);
        assert_close("PSNR", c, result.psnr, c->psnr, 1e-8);
        assert_close("SSIM", c, result.ssim, c->ssim, 1e-5);
        assert_close("SWD", c, result.swd, c->swd, 1e-5);
        int levels = 0;
        while (levels < 3 && c->levels[levels])
            levels++;
        assert_int_equal(result.n_levels, levels);
        for (int l = 0; l < levels; l++)
            assert_close("a level of SWD", c, result.swd_levels[l], c->levels[l], 1e-5);
    }
}

static void test_any_number_of_threads(void **state)
{
    MetricsResult one = measure_case(&cases[0], 1);

    for (unsigned threads = 0; threads < 70; threads += 23) {
        MetricsResult many = measure_case(&cases[0], threads);
        assert_memory_equal(&one, &many, sizeof(one));
    }
}

static void test_equal_sets(void **state)
{
    MetricsResult result = measure_changed(change_nothing, 1);

    assert_true(result.l1 == 0);
    assert_close("PSNR", &cases[0], result.psnr, 10 * log10(255 * 255 / 1e-12), 1e-12);
    assert_true(fabs(result.ssim - 1) < 1e-6);
    assert_true(result.swd > 0 && result.swd < 60); /* other places of the same pictures */
    assert_true(isfinite(result.swd));
}

/* Each of them is seen at the finest level, far above what another seed makes of equal sets. */
static void test_what_swd_sees(void **state)
{
    static const Change changes[] = {blur, add_grid, forget_noise};
    double floor = 0;

    for (guint64 seed = 1; seed < 4; seed++)
        floor = MAX(floor, measure_changed(change_nothing, seed).swd_levels[0]);
    for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
        MetricsResult result = measure_changed(changes[i], 1);
        if (!(result.swd_levels[0] > 1.3 * floor))
            fail_msg("change %d: %g, and equal sets have up to %g", (int)i, result.swd_levels[0],
                     floor);
    }
}

/* Mean and standard deviation of such channels are taken as they are: 0. */
static void test_one_colour(void **state)
{
    g_autoptr(Metrics) metrics = metrics_new(1, 1);
    g_autoptr(Picture) picture = picture_new(40, 40, 3);
    MetricsResult result;

    memset(picture->data, 77, 40 * 40 * 3);
    add(metrics, picture, picture);
    metrics_finish(metrics, &result);
    assert_true(result.swd == 0);
    assert_true(fabs(result.ssim - 1) < 1e-6);
}

static void test_several_sizes(void **state)
{
    g_autoptr(Metrics) metrics = metrics_new(1, 1);
    g_autoptr(Picture) small = draw(0, 32, 32, 0), large = draw(0, 48, 32, 0);
    MetricsResult result;

    add(metrics, small, small);
    add(metrics, large, large);
    add(metrics, small, small);
    metrics_finish(metrics, &result);
    assert_int_equal(result.n, 3);
    assert_true(fabs(result.ssim - 1) < 1e-6);
    assert_int_equal(result.n_levels, 0);
    assert_true(isnan(result.swd));
}

/* Grey counts as the colour that it is, alpha not at all. */
static void test_channels(void **state)
{
    g_autoptr(Metrics) metrics = metrics_new(1, 1);
    g_autoptr(Picture) picture = draw(0, 32, 32, 0);
    g_autoptr(Picture) grey = picture_convert(picture, 1), same = picture_convert(grey, 3);
    g_autoptr(Picture) alpha = picture_convert(picture, 4);
    MetricsResult result;

    for (int i = 0; i < 32 * 32; i++)
        alpha->data[4 * i + 3] = i;
    add(metrics, grey, same);
    add(metrics, alpha, picture);
    metrics_finish(metrics, &result);
    assert_true(result.l1 == 0);
}

static void test_pairs_that_do_not_fit(void **state)
{
    g_autoptr(Metrics) metrics = metrics_new(1, 1);
    g_autoptr(Picture) wide = draw(0, 32, 16, 0), high = draw(0, 16, 32, 0);
    g_autoptr(Picture) tiny = draw(0, 32, 10, 0);
    g_autoptr(GError) error = NULL;
    MetricsResult result;

    assert_false(metrics_add(metrics, wide, high, &error));
    assert_string_equal(error->message,
                        "has 32 x 16 pixels and its target 16 x 32, make them equal");
    g_clear_error(&error);
    assert_false(metrics_add(metrics, tiny, tiny, &error));
    assert_non_null(strstr(error->message, "32 x 10 pixels"));
    metrics_finish(metrics, &result);
    assert_int_equal(result.n, 0);
    assert_true(isnan(result.l1) && isnan(result.swd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definition), cmocka_unit_test(test_any_number_of_threads),
        cmocka_unit_test(test_equal_sets), cmocka_unit_test(test_what_swd_sees),
        cmocka_unit_test(test_one_colour), cmocka_unit_test(test_several_sizes),
        cmocka_unit_test(test_channels),   cmocka_unit_test(test_pairs_that_do_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
