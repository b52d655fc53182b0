/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The status line of a training: fits the width, and leaves out what matters least. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "run-status.h"

#include <math.h>
#include <string.h>

static const char *const names[] = {"D_fake", "D_real", "G_GAN", "G_L1",
                                    "c_A",    "c_B",    "i_A",   "i_B"};
static const double values[] = {0.6123, 0.7, 1234.5678, -0.04, NAN, 5, 6, 7};

static RunStatusFigures figures_of(int n)
{
    return (RunStatusFigures){
        .epoch = 3,
        .epochs = 200,
        .step = 1200,
        .steps = 2400,
        .names = names,
        .values = values,
        .n = n,
        .images_per_s = 8.13,
        .wait_share = 0.017,
        .seconds_left = 3725,
    };
}

static void assert_line(const RunStatusFigures *figures, int width, gboolean utf8,
                        const char *wanted)
{
    g_autofree char *line = run_status_format(figures, width, utf8);

    assert_string_equal(line, wanted);
}

static void test_whole(void **state)
{
    RunStatusFigures figures = figures_of(4);

    assert_line(&figures, 0, TRUE,
                "epoch 3/200 step 1200/2400 D_fake 0.612 D_real 0.700 G_GAN 1.23e+03 G_L1 -0.040 "
                "8.1 images/s data wait 2% 1h02 left");
    assert_line(&figures, 140, FALSE,
                "############............ epoch 3/200 step 1200/2400 D_fake 0.612 D_real 0.700 "
                "G_GAN 1.23e+03 G_L1 -0.040 8.1 images/s data wait 2% 1h02 left");
}

static void test_narrow(void **state)
{
    RunStatusFigures figures = figures_of(4);

    assert_line(&figures, 80, FALSE,
                "##... epoch 3/200 D_fake 0.612 D_real 0.700 G_GAN 1.23e+03 G_L1 -0.040 1h02 left");
    assert_line(&figures, 79, FALSE,
                "epoch 3/200 D_fake 0.612 D_real 0.700 G_GAN 1.23e+03 G_L1 -0.040 1h02 left");
    assert_line(&figures, 30, FALSE, "####.... epoch 3/200 1h02 left");
    assert_line(&figures, 12, FALSE, "epoch 3/200");
    assert_line(&figures, 3, FALSE, "");
}

/* Whatever there is to show. */
static void test_never_too_wide(void **state)
{
    for (int n = 0; n <= 8; n++) {
        RunStatusFigures figures = figures_of(n);
        for (int width = 1; width < 200; width++) {
            for (int utf8 = 0; utf8 < 2; utf8++) {
                g_autofree char *line = run_status_format(&figures, width, utf8);
                assert_true(g_utf8_validate(line, -1, NULL));
                assert_true(g_utf8_strlen(line, -1) <= width);
                assert_false(g_str_has_prefix(line, " ") || g_str_has_suffix(line, " "));
            }
        }
    }
}

static void test_bar(void **state)
{
    RunStatusFigures figures = figures_of(0);
    static const struct {
        guint64 step;
        const char *bar;
    } bars[] = {
        {0, "\u2591\u2591\u2591\u2591\u2591 "},
        {1, "\u258f\u2591\u2591\u2591\u2591 "},
        {16, "\u2588\u2588\u2591\u2591\u2591 "},
        {39, "\u2588\u2588\u2588\u2588\u2589 "},
        {40, "\u2588\u2588\u2588\u2588\u2588 "},
        {99, "\u2588\u2588\u2588\u2588\u2588 "}, /* a run may go beyond its plan */
    };

    figures.steps = 40;
    for (gsize i = 0; i < G_N_ELEMENTS(bars); i++) {
        figures.step = bars[i].step;
        g_autofree char *line = run_status_format(&figures, 5 + 1 + 11 + 1 + 9, TRUE);
        g_autofree char *wanted = g_strconcat(bars[i].bar, "epoch 3/200 1h02 left", NULL);
        assert_string_equal(line, wanted);
    }
}

static void test_time_left(void **state)
{
    RunStatusFigures figures = figures_of(0);
    static const struct {
        double seconds;
        const char *line;
    } times[] = {
        {-1, "epoch 3/200"},
        {0, "epoch 3/200 0s left"},
        {59.9, "epoch 3/200 59s left"},
        {725, "epoch 3/200 12m05 left"},
        {360000, "epoch 3/200 100h00 left"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(times); i++) {
        figures.seconds_left = times[i].seconds;
        assert_line(&figures, strlen(times[i].line), FALSE, times[i].line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),          cmocka_unit_test(test_narrow),
        cmocka_unit_test(test_never_too_wide), cmocka_unit_test(test_bar),
        cmocka_unit_test(test_time_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
