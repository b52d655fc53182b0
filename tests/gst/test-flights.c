/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Several frames in flight, as on a GPU: what comes out, when, and with what. */
#include "common.h"

#define FRAME (GST_SECOND / 30)
#define SIDE 32

/* With the network where @real, which takes its time, else with FAKE_INVERT. */
static GstHarness *harness_of(const char *format, const char *settings, gboolean real)
{
    g_autofree char *all = g_strconcat("device=vulkan ", settings, NULL);
    GstHarness *harness = test_harness_new("resnet_batch_dropout.pth", all);
    GstVideoInfo info = test_info(format, SIDE, SIDE);

    fake_engine_reset();
    fake_engine_set_mode(real ? FAKE_OFF : FAKE_INVERT);
    test_set_caps(harness, &info, NULL);
    return harness;
}

static GstHarness *harness_new(const char *settings, gboolean real)
{
    return harness_of("I420", settings, real);
}

static GstBuffer *frame_of(const char *format, int i)
{
    GstVideoInfo info = test_info(format, SIDE, SIDE);

    return test_picture(&info, i);
}

static GstBuffer *frame(int i)
{
    return frame_of("I420", i);
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

/* What is made of a frame alone, and with its source once more: all of it, half of it, its alpha. */
static const struct {
    const char *format, *settings;
} kinds[] = {{"I420", ""}, {"I420", " strength=0.5"}, {"RGBA", ""}, {"RGBA", " strength=0.5"}};

/* The pictures are those of one at a time, with a new mask for each. */
GST_START_TEST(pictures)
{
    const char *format = kinds[__i__].format;
    GstVideoInfo info = test_info(format, SIDE, SIDE);
    GstBuffer *outputs[2][6];

    for (int n = 0; n < 2; n++) {
        g_autofree char *settings =
            g_strdup_printf("dropout=fresh in-flight=%d%s", n ? 3 : 1, kinds[__i__].settings);
        GstHarness *harness = harness_of(format, settings, TRUE);

        for (int i = 0; i < 6; i++)
            fail_unless_equals_int(gst_harness_push(harness, frame_of(format, i / 2)), GST_FLOW_OK);
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

/* What is not translated waits for nobody. */
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
    expect_none(harness);
    push(harness, 5);
    expect(harness, 4);
    expect_none(harness);
    g_object_set(harness->element, "enabled", FALSE, NULL);
    push(harness, 6);
    expect(harness, 5);
    expect(harness, 6);
    gst_harness_teardown(harness);
}
GST_END_TEST

/* Upstream gets its buffer back when the frame has come, and what that is a part of: until then the
 * frame may have to be done again. */
GST_START_TEST(buffers_go_back)
{
    g_autofree char *settings = g_strconcat("in-flight=4", kinds[__i__].settings, NULL);
    GstHarness *harness = harness_of(kinds[__i__].format, settings, FALSE);
    GstBuffer *whole[4];

    for (int i = 0; i < 4; i++) {
        GstBuffer *part = frame_of(kinds[__i__].format, i);

        whole[i] = gst_buffer_new();
        gst_buffer_add_parent_buffer_meta(part, whole[i]);
        fail_unless_equals_int(gst_harness_push(harness, part), GST_FLOW_OK);
        for (int j = 0; j <= i; j++)
            fail_unless_equals_int(GST_MINI_OBJECT_REFCOUNT_VALUE(whole[j]),
                                   i == 3 && j == 0 ? 1 : 2);
    }
    for (int i = 0; i < 4; i++)
        gst_buffer_unref(whole[i]);
    gst_harness_teardown(harness); /* with three in flight */
}
GST_END_TEST

/* Upstream is asked for as many buffers as may be kept. */
GST_START_TEST(pools)
{
    GstHarness *harness = harness_new("in-flight=3", FALSE);
    GstCaps *caps = gst_pad_get_current_caps(harness->srcpad);
    GstQuery *query = gst_query_new_allocation(caps, TRUE);
    guint min;

    push(harness, 0);
    fail_unless(gst_pad_peer_query(harness->srcpad, query));
    fail_unless(gst_query_get_n_allocation_pools(query) > 0);
    gst_query_parse_nth_allocation_pool(query, 0, NULL, NULL, &min, NULL);
    fail_unless_equals_int(min, 3);
    gst_query_unref(query);
    gst_caps_unref(caps);
    gst_harness_teardown(harness);
}
GST_END_TEST

/* Upstream that has not asked, and has one buffer, gets that back at once. */
GST_START_TEST(one_buffer)
{
    GstVideoInfo info = test_info(kinds[__i__].format, SIDE, SIDE);
    g_autofree char *settings = g_strconcat("in-flight=2", kinds[__i__].settings, NULL);
    GstHarness *harness = harness_of(kinds[__i__].format, settings, FALSE);
    GstCaps *caps = gst_video_info_to_caps(&info);
    GstBufferPool *pool = gst_buffer_pool_new();
    GstStructure *config = gst_buffer_pool_get_config(pool);
    GstBufferPoolAcquireParams params = {.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT};

    gst_buffer_pool_config_set_params(config, caps, (guint)info.size, 0, 1);
    fail_unless(gst_buffer_pool_set_config(pool, config));
    fail_unless(gst_buffer_pool_set_active(pool, TRUE));
    for (int i = 0; i < 4; i++) {
        GstBuffer *picture = frame_of(kinds[__i__].format, i), *buffer;

        fail_unless_equals_int(gst_buffer_pool_acquire_buffer(pool, &buffer, &params), GST_FLOW_OK);
        gst_buffer_copy_into(buffer, picture, GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
        gst_buffer_unref(picture);
        gst_buffer_memset(buffer, 0, i, info.size);
        fail_unless_equals_int(gst_harness_push(harness, buffer), GST_FLOW_OK);
    }
    fail_unless(gst_harness_push_event(harness, gst_event_new_eos()));
    for (int i = 0; i < 4; i++)
        expect(harness, i);
    gst_buffer_pool_set_active(pool, FALSE);
    gst_object_unref(pool);
    gst_caps_unref(caps);
    gst_harness_teardown(harness);
}
GST_END_TEST

/* How many frames go in before the first comes out. */
static guint count_waiting(GstHarness *harness, const char *format)
{
    GstBuffer *came = NULL;
    guint n = 0;

    for (; !came && n < 10; n++) {
        fail_unless_equals_int(gst_harness_push(harness, frame_of(format, n)), GST_FLOW_OK);
        came = gst_harness_try_pull(harness);
    }
    fail_unless(came != NULL);
    gst_buffer_unref(came);
    return n - 1;
}

/* What is reported is what happens, whatever is made of a frame. */
GST_START_TEST(latency_is_true)
{
    static const char *const settings[] = {"strength=1", "strength=0.5", "strength=0"};
    GstVideoInfo out = test_info("RGB", SIDE, SIDE);
    guint strength = __i__ / 2;
    const char *format = __i__ % 2 ? "RGBA" : "I420";
    g_autofree char *all = g_strconcat("in-flight=3 ", settings[strength], NULL);
    GstHarness *harness = harness_of(format, all, FALSE);
    GstVideoInfo in = test_info(format, SIDE, SIDE);
    GstClockTime reported;

    if (strength == 2) /* to be converted, not passed through */
        test_set_caps(harness, &in, &out);
    reported = gst_harness_query_latency(harness); /* nothing has taken time yet */
    fail_unless_equals_uint64(reported, (strength == 2 ? 0 : 2) * FRAME);
    fail_unless_equals_uint64(reported, count_waiting(harness, format) * FRAME);
    gst_harness_teardown(harness);
}
GST_END_TEST

/* Where memory is short, one frame at a time is better than none. */
GST_START_TEST(lacks_memory)
{
    GstHarness *harness = test_harness_new("unet32", "device=vulkan in-flight=3");
    GstVideoInfo info = test_info("I420", SIDE, SIDE);
    GstBus *bus = test_add_bus(harness);

    fake_engine_reset();
    fake_engine_lack_memory(FAKE_SESSION);
    test_set_caps(harness, &info, NULL);
    fail_unless_equals_uint64(gst_harness_query_latency(harness), 0);
    fail_unless_equals_int(count_waiting(harness, "I420"), 0);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR, NULL), 0);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
}
GST_END_TEST

/* One frame's duration for each that is waited for; a message when that changes. */
GST_START_TEST(latency)
{
    GstHarness *harness = harness_new("in-flight=3", FALSE);
    GstVideoInfo still = test_info("I420", SIDE, SIDE);
    GstBus *bus = test_add_bus(harness);

    fail_unless_equals_uint64(gst_harness_query_latency(harness), 2 * FRAME);
    g_object_set(harness->element, "in-flight", 1, NULL);
    for (int i = 0; i < 500 && gst_harness_query_latency(harness) >= 2 * FRAME; i++) {
        push(harness, i);
        g_usleep(1000);
    }
    fail_unless(gst_harness_query_latency(harness) < 2 * FRAME);
    fail_unless(test_count(bus, GST_MESSAGE_LATENCY, NULL) >= 1);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);

    harness = harness_new("in-flight=3", FALSE);
    still.fps_n = 0; /* nobody knows when the next one comes */
    gst_harness_set_src_caps(harness, gst_video_info_to_caps(&still));
    push(harness, 0);
    expect(harness, 0);
    gst_harness_teardown(harness);
}
GST_END_TEST

/* Where each takes longer than its time, they do not wait for each other as well. */
GST_START_TEST(hurries)
{
    GstHarness *harness = harness_new("in-flight=3", FALSE);
    GstClockTime latency;
    int i = 0;

    fake_engine_set_delay_ms(2 * FRAME / GST_MSECOND);
    for (; i < 3; i++)
        push(harness, i);
    expect(harness, 0);
    expect_none(harness); /* late, and nobody has complained */
    latency = gst_harness_query_latency(harness);
    fail_unless(latency >= 3 * 2 * FRAME * 9 / 10 + 2 * FRAME);

    gst_harness_push_upstream_event(
        harness, gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2.0, FRAME + FRAME / 2, 2 * FRAME));
    push(harness, i++); /* dropped */
    expect(harness, 1);
    expect(harness, 2);
    expect_none(harness);
    fail_unless(gst_harness_query_latency(harness) < latency * 2 / 3);
    gst_harness_push_upstream_event(harness,
                                    gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 1.0, 0, 2 * FRAME));
    for (; i < 6; i++) {
        push(harness, i);
        expect(harness, i);
    }

    fake_engine_set_delay_ms(0);
    for (; gst_harness_buffers_in_queue(harness) == 0 && i < 300; i++) {
        push(harness, i);
        if (gst_harness_buffers_in_queue(harness) == 0)
            break; /* it is over: this one waits */
        expect(harness, i);
    }
    fail_unless(i < 300);
    push(harness, i + 1);
    expect_none(harness);
    push(harness, i + 2);
    expect(harness, i);
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

/* Where the CPU may take over, it does again what was in flight. */
GST_START_TEST(taken_over)
{
    GstHarness *harness = harness_new("in-flight=2", TRUE);

    push(harness, 0);
    fake_engine_set_automatic(TRUE);
    fake_engine_fail_next(__i__ ? FAKE_RESULT : FAKE_FRAME);
    push(harness, 1);
    expect(harness, 0);
    expect(harness, 1);
    push(harness, 2);
    expect(harness, 2);
    gst_harness_teardown(harness);
}
GST_END_TEST

/* What came to the sink since the last flush, in order, each at its place. */
static GstPadProbeReturn check_order(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    static GstClockTime next = GST_CLOCK_TIME_NONE;

    if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) {
        GstClockTime pts = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));

        fail_unless(next == GST_CLOCK_TIME_NONE || pts == next,
                    "%" G_GUINT64_FORMAT " came in the place of %" G_GUINT64_FORMAT, pts, next);
        next = pts + GST_BUFFER_DURATION(GST_PAD_PROBE_INFO_BUFFER(info));
        g_atomic_int_inc((gint *)data);
    } else if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_SEGMENT) {
        const GstSegment *segment;

        gst_event_parse_segment(GST_PAD_PROBE_INFO_EVENT(info), &segment);
        next = segment->start;
    }
    return GST_PAD_PROBE_OK;
}

/* Seeks, flushing or not: every frame of a segment comes in it, from its first to the end. */
GST_START_TEST(seeks)
{
    GstElement *pipeline = gst_parse_launch(
        "videotestsrc num-buffers=100000 ! video/x-raw,format=I420,width=32,height=32,"
        "framerate=25/1 ! pix2pixfilter name=f device=vulkan in-flight=3 qos=false ! "
        "fakesink name=s",
        NULL);
    GstElement *filter = gst_bin_get_by_name(GST_BIN(pipeline), "f");
    GstPad *pad = gst_element_get_static_pad(filter, "src");
    g_autofree char *path = test_model("unet32");
    GstSeekFlags flags = GST_SEEK_FLAG_ACCURATE | (__i__ ? GST_SEEK_FLAG_FLUSH : 0);
    GstBus *bus = gst_element_get_bus(pipeline);
    gint frames = 0;

    fake_engine_reset();
    g_object_set(filter, "model", path, NULL);
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
                      check_order, &frames, NULL);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    fail_unless(gst_element_get_state(pipeline, NULL, NULL, 20 * GST_SECOND) ==
                GST_STATE_CHANGE_SUCCESS);
    for (int i = 0; i < 20; i++) {
        gint before = g_atomic_int_get(&frames);

        fail_unless(
            gst_element_seek_simple(pipeline, GST_FORMAT_TIME, flags, (i * 37 % 50) * GST_SECOND));
        while (g_atomic_int_get(&frames) < before + 5) /* or the test's time is up */
            g_usleep(1000);
    }
    fail_unless(gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR) == NULL);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(bus);
    gst_object_unref(pad);
    gst_object_unref(filter);
    gst_object_unref(pipeline);
}
GST_END_TEST

static Suite *flights_suite(void)
{
    Suite *suite = suite_create("flights");
    TCase *tcase = tcase_create("general");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, order, 1, 5);
    tcase_add_loop_test(tcase, pictures, 0, G_N_ELEMENTS(kinds));
    tcase_add_test(tcase, flush);
    tcase_add_test(tcase, drained);
    tcase_add_test(tcase, at_once);
    tcase_add_loop_test(tcase, buffers_go_back, 0, G_N_ELEMENTS(kinds));
    tcase_add_loop_test(tcase, one_buffer, 0, G_N_ELEMENTS(kinds));
    tcase_add_test(tcase, pools);
    tcase_add_loop_test(tcase, latency_is_true, 0, 6);
    tcase_add_test(tcase, lacks_memory);
    tcase_add_test(tcase, latency);
    tcase_add_loop_test(tcase, seeks, 0, 2);
    tcase_add_test(tcase, hurries);
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
