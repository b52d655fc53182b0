/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Several frames in flight, as on a GPU: what comes out, when, and with what. */
#include "common.h"

#define FRAME (GST_SECOND / 30)
#define SIDE 32

/* With the network where @real, which takes its time, else with FAKE_INVERT. */
static GstHarness *harness_new(const char *settings, gboolean real)
{
    g_autofree char *all = g_strconcat("device=vulkan ", settings, NULL);
    GstHarness *harness = test_harness_new("resnet_batch_dropout.pth", all);
    GstVideoInfo info = test_info("I420", SIDE, SIDE);

    fake_engine_reset();
    fake_engine_set_mode(real ? FAKE_OFF : FAKE_INVERT);
    test_set_caps(harness, &info, NULL);
    return harness;
}

static GstBuffer *frame(int i)
{
    GstVideoInfo info = test_info("I420", SIDE, SIDE);

    return test_picture(&info, i);
}

static void push(GstHarness *harness, int i)
{
    fail_unless_equals_int(gst_harness_push(harness, frame(i)), GST_FLOW_OK);
}

/* The next that came out is frame @i. */
static void expect(GstHarness *harness, int i)
{
    GstBuffer *buffer = gst_harness_try_pull(harness);

    fail_unless(buffer != NULL, "frame %d did not come", i);
    fail_unless_equals_uint64(GST_BUFFER_PTS(buffer), gst_util_uint64_scale(i, GST_SECOND, 30));
    gst_buffer_unref(buffer);
}

static void expect_none(GstHarness *harness)
{
    fail_unless(gst_harness_try_pull(harness) == NULL);
}

/* Each comes when as many are behind it as there may be, and the end lets go of the rest. */
GST_START_TEST(order)
{
    g_autofree char *settings = g_strdup_printf("in-flight=%d", __i__);
    GstHarness *harness = harness_new(settings, FALSE);

    for (int i = 0; i < 8; i++) {
        push(harness, i);
        if (i >= __i__ - 1)
            expect(harness, i - (__i__ - 1));
        expect_none(harness);
    }
    fail_unless(gst_harness_push_event(harness, gst_event_new_eos()));
    for (int i = 8 - (__i__ - 1); i < 8; i++)
        expect(harness, i);
    expect_none(harness);
    gst_harness_teardown(harness);
}
GST_END_TEST

/* The pictures are those of one at a time, with a new mask for each. */
GST_START_TEST(pictures)
{
    GstVideoInfo info = test_info("I420", SIDE, SIDE);
    GstBuffer *outputs[2][6];

    for (int n = 0; n < 2; n++) {
        GstHarness *harness =
            harness_new(n ? "dropout=fresh in-flight=3" : "dropout=fresh in-flight=1", TRUE);

        for (int i = 0; i < 6; i++)
            push(harness, i / 2);
        fail_unless(gst_harness_push_event(harness, gst_event_new_eos()));
        for (int i = 0; i < 6; i++)
            fail_unless((outputs[n][i] = gst_harness_try_pull(harness)) != NULL);
        gst_harness_teardown(harness);
    }
    fail_if(test_same(outputs[0][0], outputs[0][1], &info));
    for (int i = 0; i < 6; i++) {
        fail_unless(test_same(outputs[0][i], outputs[1][i], &info), "frame %d", i);
        gst_buffer_unref(outputs[0][i]);
        gst_buffer_unref(outputs[1][i]);
    }
}
GST_END_TEST

/* Nothing from before a flush comes after it. */
GST_START_TEST(flush)
{
    GstHarness *harness = harness_new("in-flight=3", FALSE);
    GstSegment segment;

    push(harness, 0);
    push(harness, 1);
    fail_unless(gst_harness_push_event(harness, gst_event_new_flush_start()));
    fail_unless(gst_harness_push_event(harness, gst_event_new_flush_stop(TRUE)));
    gst_segment_init(&segment, GST_FORMAT_TIME);
    fail_unless(gst_harness_push_event(harness, gst_event_new_segment(&segment)));
    push(harness, 5);
    fail_unless(gst_harness_push_event(harness, gst_event_new_eos()));
    expect(harness, 5);
    expect_none(harness);
    gst_harness_teardown(harness);
}
GST_END_TEST

/* Frames keep their place among events, and their size where the caps change. */
GST_START_TEST(drained)
{
    GstHarness *harness = harness_new("in-flight=3", FALSE);
    GstVideoInfo other = test_info("RGB", 48, 20);
    GstSegment segment;

    push(harness, 0);
    expect_none(harness);
    gst_segment_init(&segment, GST_FORMAT_TIME);
    fail_unless(gst_harness_push_event(harness, gst_event_new_segment(&segment)));
    expect(harness, 0);
    push(harness, 1);
    push(harness, 2);
    gst_harness_set_src_caps(harness, gst_video_info_to_caps(&other));
    expect(harness, 1);
    expect(harness, 2);
    fail_unless_equals_int(gst_harness_push(harness, test_picture(&other, 3)), GST_FLOW_OK);
    fail_unless(gst_harness_push_event(harness, gst_event_new_eos()));
    expect(harness, 3);
    gst_harness_teardown(harness);
}
GST_END_TEST

/* What is not translated, or needs its source once more, waits for nobody. */
GST_START_TEST(at_once)
{
    GstHarness *harness = harness_new("in-flight=2", FALSE);
    GstBuffer *gap = frame(2);

    push(harness, 0);
    push(harness, 1);
    expect(harness, 0);
    GST_BUFFER_FLAG_SET(gap, GST_BUFFER_FLAG_GAP);
    fail_unless_equals_int(gst_harness_push(harness, gap), GST_FLOW_OK);
    expect(harness, 1);
    expect(harness, 2);
    push(harness, 3);
    expect_none(harness);
    g_object_set(harness->element, "strength", 0.5, NULL);
    push(harness, 4);
    expect(harness, 3);
    expect(harness, 4);
    g_object_set(harness->element, "strength", 1.0, NULL);
    push(harness, 5);
    expect_none(harness);
    g_object_set(harness->element, "enabled", FALSE, NULL);
    push(harness, 6);
    expect(harness, 5);
    expect(harness, 6);
    gst_harness_teardown(harness);
}
GST_END_TEST

/* Upstream gets its buffer back as soon as it has been pushed. */
GST_START_TEST(buffers_go_back)
{
    GstHarness *harness = harness_new("in-flight=4", FALSE);

    for (int i = 0; i < 3; i++) {
        GstBuffer *buffer = gst_buffer_ref(frame(i));

        fail_unless_equals_int(gst_harness_push(harness, buffer), GST_FLOW_OK);
        fail_unless_equals_int(GST_MINI_OBJECT_REFCOUNT_VALUE(buffer), 1);
        gst_buffer_unref(buffer);
    }
    gst_harness_teardown(harness); /* with three in flight */
}
GST_END_TEST

/* One frame's duration for each that is waited for; a message when that changes. */
GST_START_TEST(latency)
{
    GstHarness *harness = harness_new("in-flight=3", FALSE);
    GstVideoInfo still = test_info("I420", SIDE, SIDE);

    fail_unless_equals_uint64(gst_harness_query_latency(harness), 2 * FRAME);
    g_object_set(harness->element, "in-flight", 1, NULL);
    for (int i = 0; i < 500 && gst_harness_query_latency(harness) >= 2 * FRAME; i++) {
        push(harness, i);
        g_usleep(1000);
    }
    gst_harness_teardown(harness);

    harness = harness_new("in-flight=3", FALSE);
    still.fps_n = 0; /* nobody knows when the next one comes */
    gst_harness_set_src_caps(harness, gst_video_info_to_caps(&still));
    push(harness, 0);
    expect(harness, 0);
    gst_harness_teardown(harness);
}
GST_END_TEST

/* Another network takes over between two frames, of which none is lost. */
GST_START_TEST(swap)
{
    GstHarness *harness = harness_new("in-flight=3", FALSE);
    int pushed = 0, pulled = 0;

    for (; pushed < 4; pushed++)
        push(harness, pushed);
    g_object_set(harness->element, "seed", (guint64)7, NULL);
    for (; pushed < 60; pushed++) {
        push(harness, pushed);
        g_usleep(2000);
    }
    fail_unless(gst_harness_push_event(harness, gst_event_new_eos()));
    for (; pulled < pushed; pulled++)
        expect(harness, pulled);
    expect_none(harness);
    gst_harness_teardown(harness);
}
GST_END_TEST

/* A device that is lost is told once, and what it had does not come. */
GST_START_TEST(lost)
{
    GstHarness *harness = harness_new("in-flight=3", TRUE);
    GstBus *bus = test_add_bus(harness);

    push(harness, 0);
    push(harness, 1);
    fake_engine_fail_next(__i__ ? FAKE_RESULT : FAKE_FRAME);
    fail_unless_equals_int(gst_harness_push(harness, frame(2)), GST_FLOW_ERROR);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_ERROR, NULL), 1);
    expect_none(harness);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
}
GST_END_TEST

/* Where the CPU may take over, it goes on with the next frame. */
GST_START_TEST(taken_over)
{
    GstHarness *harness = harness_new("in-flight=2", TRUE);

    push(harness, 0);
    fake_engine_set_automatic(TRUE);
    fake_engine_fail_next(__i__ ? FAKE_RESULT : FAKE_FRAME);
    push(harness, 1);
    if (!__i__)
        expect(harness, 1);
    push(harness, 2);
    expect(harness, 2);
    gst_harness_teardown(harness);
}
GST_END_TEST

static Suite *flights_suite(void)
{
    Suite *suite = suite_create("flights");
    TCase *tcase = tcase_create("general");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, order, 1, 5);
    tcase_add_test(tcase, pictures);
    tcase_add_test(tcase, flush);
    tcase_add_test(tcase, drained);
    tcase_add_test(tcase, at_once);
    tcase_add_test(tcase, buffers_go_back);
    tcase_add_test(tcase, latency);
    tcase_add_test(tcase, swap);
    tcase_add_loop_test(tcase, lost, 0, 2);
    tcase_add_loop_test(tcase, taken_over, 0, 2);
    return suite;
}

int main(int argc, char **argv)
{
    gst_check_init(&argc, &argv);
    return test_main(flights_suite());
}
