/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What travels with the pixels: timestamps, flags, metas, gaps, and the buffer itself. */
#include "common.h"

static const char *const custom_tags[] = {GST_META_TAG_VIDEO_STR, NULL};
static const char *const coloured_tags[] = {GST_META_TAG_VIDEO_STR,
                                            GST_META_TAG_VIDEO_COLORSPACE_STR, NULL};
static const char *const foreign_tags[] = {"shoe-size", NULL};
static const char *const no_tags[] = {NULL};

static void register_metas(void)
{
    if (gst_meta_get_info("test-video"))
        return;
    gst_meta_register_custom("test-video", (const char **)custom_tags, NULL, NULL, NULL);
    gst_meta_register_custom("test-colours", (const char **)coloured_tags, NULL, NULL, NULL);
    gst_meta_register_custom("test-foreign", (const char **)foreign_tags, NULL, NULL, NULL);
    gst_meta_register_custom("test-plain", (const char **)no_tags, NULL, NULL, NULL);
}

static guint count_metas(GstBuffer *buffer, GType api)
{
    return gst_buffer_get_n_meta(buffer, api);
}

/* Each meta comes out once or not at all, and what is in pixels is scaled. */
GST_START_TEST(metas)
{
    GstHarness *harness = test_harness_new("resnet2", "fit=native");
    gboolean resized = __i__ == 1;
    GstVideoInfo in = test_info("I420", 64, 48);
    GstVideoInfo out = test_info("I420", resized ? 32 : 64, resized ? 96 : 48);
    GstBuffer *input = test_picture(&in, 0), *output;
    GstCaps *reference = gst_caps_new_empty_simple("timestamp/x-unix");
    GstVideoRegionOfInterestMeta *roi;

    fake_engine_reset();
    register_metas();
    gst_buffer_add_video_region_of_interest_meta(input, "face", 8, 12, 16, 24);
    gst_buffer_add_reference_timestamp_meta(input, reference, 1234, 5);
    gst_buffer_add_custom_meta(input, "test-video");
    gst_buffer_add_custom_meta(input, "test-colours");
    gst_buffer_add_custom_meta(input, "test-foreign");
    gst_buffer_add_custom_meta(input, "test-plain");
    test_set_caps(harness, &in, &out);
    output = test_run(harness, input);

    fail_unless_equals_int(count_metas(output, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE), 1);
    roi = gst_buffer_get_video_region_of_interest_meta_id(output, 0);
    roi = roi ? roi
              : (GstVideoRegionOfInterestMeta *)gst_buffer_get_meta(
                    output, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
    fail_unless_equals_int(roi->x, resized ? 4 : 8);
    fail_unless_equals_int(roi->y, resized ? 24 : 12);
    fail_unless_equals_int(roi->w, resized ? 8 : 16);
    fail_unless_equals_int(roi->h, resized ? 48 : 24);
    fail_unless_equals_int(count_metas(output, GST_REFERENCE_TIMESTAMP_META_API_TYPE), 1);
    fail_unless(gst_buffer_get_reference_timestamp_meta(output, reference)->timestamp == 1234);
    fail_unless_equals_int(count_metas(output, gst_meta_get_info("test-video")->api), 1);
    fail_unless_equals_int(count_metas(output, gst_meta_get_info("test-plain")->api), 1);
    fail_unless(gst_buffer_get_custom_meta(output, "test-colours") == NULL);
    fail_unless(gst_buffer_get_custom_meta(output, "test-foreign") == NULL);
    gst_caps_unref(reference);
    gst_buffer_unref(output);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* Times and flags are those of the input, in every combination. */
GST_START_TEST(timestamps_and_flags)
{
    static const GstBufferFlags flags[] = {0,
                                           GST_BUFFER_FLAG_DISCONT,
                                           GST_BUFFER_FLAG_DELTA_UNIT,
                                           GST_BUFFER_FLAG_MARKER,
                                           GST_BUFFER_FLAG_RESYNC,
                                           GST_BUFFER_FLAG_DROPPABLE | GST_BUFFER_FLAG_DISCONT};
    GstHarness *harness = test_harness_new("resnet2", "fit=native");
    GstVideoInfo info = test_info("RGB", 20, 10);

    fake_engine_reset();
    test_set_caps(harness, &info, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(flags); i++) {
        GstBuffer *input = test_picture(&info, i), *output;

        GST_BUFFER_PTS(input) = i == 3 ? GST_CLOCK_TIME_NONE : i * 40 * GST_MSECOND;
        GST_BUFFER_DTS(input) = i == 3 ? GST_CLOCK_TIME_NONE : i * 41 * GST_MSECOND;
        GST_BUFFER_DURATION(input) = i == 4 ? GST_CLOCK_TIME_NONE : 40 * GST_MSECOND;
        GST_BUFFER_OFFSET(input) = 100 + i;
        GST_BUFFER_OFFSET_END(input) = 101 + i;
        GST_BUFFER_FLAG_SET(input, flags[i]);
        gst_buffer_ref(input);
        output = test_run(harness, input);
        fail_unless(GST_BUFFER_PTS(output) == GST_BUFFER_PTS(input));
        fail_unless(GST_BUFFER_DTS(output) == GST_BUFFER_DTS(input));
        fail_unless(GST_BUFFER_DURATION(output) == GST_BUFFER_DURATION(input));
        fail_unless_equals_int(GST_BUFFER_FLAGS(output) & ~GST_BUFFER_FLAG_TAG_MEMORY, flags[i]);
        gst_buffer_unref(input);
        gst_buffer_unref(output);
    }
    fail_unless_equals_int(fake_engine_get_calls(), G_N_ELEMENTS(flags));
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* A gap goes by: the same buffer, still a gap, and the network does not see it. */
GST_START_TEST(gap)
{
    GstHarness *harness = test_harness_new("resnet2", "fit=native");
    GstVideoInfo info = test_info("I420", 20, 10);
    GstBuffer *input = test_picture(&info, 0), *output;

    fake_engine_reset();
    test_set_caps(harness, &info, NULL);
    GST_BUFFER_FLAG_SET(input, GST_BUFFER_FLAG_GAP);
    output = test_run(harness, input);
    fail_unless(output == input);
    fail_unless(GST_BUFFER_FLAG_IS_SET(output, GST_BUFFER_FLAG_GAP));
    fail_unless_equals_int(fake_engine_get_calls(), 0);
    gst_buffer_unref(output);

    output = test_run(harness, test_picture(&info, 1));
    fail_if(GST_BUFFER_FLAG_IS_SET(output, GST_BUFFER_FLAG_GAP));
    fail_unless_equals_int(fake_engine_get_calls(), 1);
    gst_buffer_unref(output);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* With other caps behind it, a gap is converted, and still not translated. */
GST_START_TEST(gap_converted)
{
    GstHarness *harness = test_harness_new("resnet2", "fit=native");
    GstVideoInfo in = test_info("I420", 64, 48), out = test_info("RGB", 64, 48);
    GstBuffer *input = test_picture(&in, 0), *wanted = test_convert(input, &in, &out), *output;

    fake_engine_reset();
    test_set_caps(harness, &in, &out);
    GST_BUFFER_FLAG_SET(input, GST_BUFFER_FLAG_GAP);
    output = test_run(harness, input);
    fail_unless(GST_BUFFER_FLAG_IS_SET(output, GST_BUFFER_FLAG_GAP));
    fail_unless(test_difference(output, wanted, &out, NULL) < 1);
    fail_unless_equals_int(fake_engine_get_calls(), 0);
    gst_buffer_unref(output);
    gst_buffer_unref(wanted);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* Switched off, or at strength 0, the buffers themselves go by; switched on again, they do not. */
GST_START_TEST(passthrough)
{
    GstHarness *harness = test_harness_new("resnet2", "fit=native");
    GstVideoInfo info = test_info(__i__ % 2 ? "NV12" : "RGB", 20, 10);

    fake_engine_reset();
    test_set_caps(harness, &info, NULL);
    for (int i = 0; i < 9; i++) {
        gboolean on = i % 2;
        GstBuffer *input = test_picture(&info, i), *output;
        int calls = fake_engine_get_calls();

        if (__i__ < 2)
            g_object_set(harness->element, "enabled", on, NULL);
        else
            g_object_set(harness->element, "strength", on ? 0.5 : 0.0, NULL);
        output = test_run(harness, input);
        fail_unless_equals_int(fake_engine_get_calls() - calls, on);
        fail_unless_equals_int(output == input, !on);
        gst_buffer_unref(output);
    }
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* Switched off where downstream wants another format: converted, and not translated. */
GST_START_TEST(disabled_conversion)
{
    GstHarness *harness = test_harness_new("resnet2", "fit=native enabled=false");
    GstVideoInfo in = test_info("RGBA", 64, 48), out = test_info("I420", 32, 24);
    GstBuffer *input = test_picture(&in, 0), *wanted = test_convert(input, &in, &out), *output;

    fake_engine_reset();
    test_set_caps(harness, &in, &out);
    output = test_run(harness, input);
    fail_unless(test_difference(output, wanted, &out, NULL) < 2);
    fail_unless_equals_int(fake_engine_get_calls(), 0);
    gst_buffer_unref(output);
    gst_buffer_unref(wanted);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* A click on the scaled picture arrives where it was meant. */
GST_START_TEST(navigation)
{
    GstHarness *harness = test_harness_new("resnet2", "fit=native");
    GstVideoInfo in = test_info("RGB", 512, 512), out = test_info("RGB", 256, 128);
    GstEvent *event;
    double x, y;

    fake_engine_reset();
    test_set_caps(harness, &in, &out);
    gst_buffer_unref(test_run(harness, test_picture(&in, 0)));
    while ((event = gst_harness_try_pull_upstream_event(harness)))
        gst_event_unref(event);
    gst_harness_push_upstream_event(harness,
                                    gst_navigation_event_new_mouse_button_press(1, 128, 64, 0));
    event = gst_harness_pull_upstream_event(harness);
    fail_unless(gst_navigation_event_get_coordinates(event, &x, &y));
    fail_unless(x == 256 && y == 256, "%f %f", x, y);
    gst_event_unref(event);
    gst_harness_teardown(harness);
}
GST_END_TEST;

static Suite *metas_suite(void)
{
    Suite *suite = suite_create("metas");
    TCase *tcase = tcase_create("general");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, metas, 0, 2);
    tcase_add_test(tcase, timestamps_and_flags);
    tcase_add_test(tcase, gap);
    tcase_add_test(tcase, gap_converted);
    tcase_add_loop_test(tcase, passthrough, 0, 4);
    tcase_add_test(tcase, disabled_conversion);
    tcase_add_test(tcase, navigation);
    return suite;
}

int main(int argc, char **argv)
{
    gst_check_init(&argc, &argv);
    return test_main(metas_suite());
}
