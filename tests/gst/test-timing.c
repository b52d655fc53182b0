/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When the latency that is reported becomes another one: by frames whose times are made up. */
#include "common.h"

#include "gstpix2pixtiming.h"

static GstPix2pixTiming timing;

/* @n frames that take @duration. Returns: how many of them the pipeline is told of. */
static int add(int n, GstClockTime duration)
{
    const GstPix2pixTimes times = {0};
    int told = 0;

    for (int i = 0; i < n; i++) {
        GstClockTime before = timing.latency;
        gboolean tells = gst_pix2pix_timing_add(&timing, &times, duration, i * 1000);

        fail_unless_equals_int(tells, timing.latency != before);
        told += tells;
    }
    return told;
}

/* Up at once, by all of it. */
GST_START_TEST(up)
{
    gst_pix2pix_timing_reset(&timing);
    fail_unless_equals_int(add(8, 100 * GST_MSECOND), 1);
    fail_unless_equals_uint64(timing.latency, 100 * GST_MSECOND);
    fail_unless_equals_int(add(8, 200 * GST_MSECOND), 1);
    fail_unless_equals_uint64(timing.latency, 200 * GST_MSECOND);
}
GST_END_TEST

/* Not by a tenth, and not by 2 ms. */
GST_START_TEST(noise)
{
    static const int ms[] = {100, 5};
    static const int noise_ms[] = {10, 2};

    gst_pix2pix_timing_reset(&timing);
    add(1, ms[__i__] * GST_MSECOND);
    for (int i = 0; i < 300; i++)
        fail_unless_equals_int(add(1, (ms[__i__] + i % 2 * noise_ms[__i__]) * GST_MSECOND), 0);
    fail_unless_equals_uint64(timing.latency, ms[__i__] * GST_MSECOND);
    fail_unless_equals_int(add(1, (ms[__i__] + noise_ms[__i__] + 1) * GST_MSECOND), 1);
}
GST_END_TEST

/* Down after 128 frames, to the slowest of them. */
GST_START_TEST(down)
{
    gst_pix2pix_timing_reset(&timing);
    add(1, 100 * GST_MSECOND);
    fail_unless_equals_int(add(126, 10 * GST_MSECOND), 0);
    fail_unless_equals_int(add(1, 50 * GST_MSECOND), 0);
    fail_unless_equals_int(add(1, 10 * GST_MSECOND), 1);
    fail_unless_equals_uint64(timing.latency, 50 * GST_MSECOND);
    fail_unless_equals_int(add(128, 10 * GST_MSECOND), 1);
    fail_unless_equals_uint64(timing.latency, 10 * GST_MSECOND);
}
GST_END_TEST

static Suite *timing_suite(void)
{
    Suite *suite = suite_create("timing");
    TCase *tcase = tcase_create("general");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, up);
    tcase_add_loop_test(tcase, noise, 0, 2);
    tcase_add_test(tcase, down);
    return suite;
}

int main(int argc, char **argv)
{
    gst_check_init(&argc, &argv);
    return test_main(timing_suite());
}
