/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Time: late frames, latency, flushes, segments, the end of the stream. */
#include "common.h"

#define FRAME (GST_SECOND / 30)

static GstBuffer *frame_at(const GstVideoInfo *info, GstClockTime pts)
{
    GstBuffer *buffer = test_picture(info, 0);

    GST_BUFFER_PTS(buffer) = pts;
    GST_BUFFER_DURATION(buffer) = FRAME;
    return buffer;
}

static guint64 stat(GstHarness *harness, const char *name)
{
    GstStructure *stats;
    guint64 value;

    g_object_get(harness->element, "stats", &stats, NULL);
    fail_unless(gst_structure_get_uint64(stats, name, &value));
    gst_structure_free(stats);
    return value;
}

/* A frame that is late already is dropped before the network; the next one says so. */
GST_START_TEST(late_frames)
{
    GstHarness *harness = test_harness_new("resnet2", "fit=native");
    GstBus *bus = test_add_bus(harness);
    GstVideoInfo info = test_info("RGB", 20, 10);
    guint64 processed, dropped;
    GstMessage *message;
    GstBuffer *output;

    fake_engine_reset();
    test_set_caps(harness, &info, NULL);
    gst_buffer_unref(test_run(harness, frame_at(&info, 0)));
    gst_harness_push_upstream_event(
        harness, gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2.0, 100 * GST_MSECOND, 0));
    for (int i = 1; i <= 3; i++)
        fail_unless_equals_int(gst_harness_push(harness, frame_at(&info, i * FRAME)), GST_FLOW_OK);
    fail_unless(gst_harness_try_pull(harness) == NULL);
    fail_unless_equals_int(fake_engine_get_calls(), 1);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_QOS, &message), 3);
    gst_message_parse_qos_stats(message, NULL, &processed, &dropped);
    fail_unless_equals_int(processed, 1);
    fail_unless_equals_int(dropped, 3);
    gst_message_unref(message);
    fail_unless_equals_int(stat(harness, "dropped"), 3);
    fail_unless_equals_int(stat(harness, "frames"), 1);

    output = test_run(harness, frame_at(&info, 4 * FRAME));
    fail_unless(GST_BUFFER_FLAG_IS_SET(output, GST_BUFFER_FLAG_DISCONT));
    gst_buffer_unref(output);
    output = test_run(harness, frame_at(&info, 5 * FRAME));
    fail_if(GST_BUFFER_FLAG_IS_SET(output, GST_BUFFER_FLAG_DISCONT));
    gst_buffer_unref(output);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(qos_off)
{
    GstHarness *harness = test_harness_new("resnet2", "fit=native qos=false");
    GstVideoInfo info = test_info("RGB", 20, 10);

    fake_engine_reset();
    test_set_caps(harness, &info, NULL);
    gst_harness_push_upstream_event(harness,
                                    gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2.0, GST_SECOND, 0));
    gst_buffer_unref(test_run(harness, frame_at(&info, FRAME)));
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* Hopelessly late, one frame of every second is translated all the same. */
GST_START_TEST(no_drought)
{
    GstHarness *harness = test_harness_new("resnet2", "fit=native");
    GstVideoInfo info = test_info("RGB", 20, 10);
    GstBuffer *output;
    int n = 0;

    fake_engine_reset();
    test_set_caps(harness, &info, NULL);
    for (int i = 0; i < 300; i++) {
        gst_harness_push_upstream_event(
            harness, gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 9.0, 3600 * GST_SECOND, i * FRAME));
        fail_unless_equals_int(gst_harness_push(harness, frame_at(&info, i * FRAME)), GST_FLOW_OK);
        while ((output = gst_harness_try_pull(harness))) {
            gst_buffer_unref(output);
            n++;
        }
    }
    fail_unless(n >= 9 && n <= 11, "%d frames in 10 s", n);
    gst_harness_teardown(harness);
}
GST_END_TEST;

static void count_frame(GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
    g_atomic_int_inc((gint *)data);
}

/* A live source and a network ten times too slow: the sink still sees pictures. */
GST_START_TEST(overload)
{
    GError *error = NULL;
    GstElement *pipeline = gst_parse_launch(
        "videotestsrc is-live=true ! video/x-raw,width=32,height=32,framerate=30/1 ! "
        "pix2pixfilter name=f fit=native ! fakesink name=s sync=true qos=true "
        "signal-handoffs=true max-lateness=20000000",
        &error);
    GstElement *filter = gst_bin_get_by_name(GST_BIN(pipeline), "f");
    GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "s");
    g_autofree char *path = test_model("resnet2");
    GstBus *bus = gst_element_get_bus(pipeline);
    gint frames = 0;

    fail_unless(error == NULL);
    fake_engine_reset();
    fake_engine_set_mode(FAKE_INVERT);
    fake_engine_set_delay_ms(333);
    g_object_set(filter, "model", path, NULL);
    g_signal_connect(sink, "handoff", G_CALLBACK(count_frame), &frames);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    for (int i = 0; i < 50; i++) {
        GstMessage *message = gst_bus_timed_pop_filtered(bus, 100 * GST_MSECOND,
                                                         GST_MESSAGE_LATENCY | GST_MESSAGE_ERROR);

        if (message) {
            fail_unless(GST_MESSAGE_TYPE(message) == GST_MESSAGE_LATENCY);
            gst_bin_recalculate_latency(GST_BIN(pipeline));
            gst_message_unref(message);
        }
    }
    gst_element_set_state(pipeline, GST_STATE_NULL);
    fail_unless(frames >= 4, "%d frames in 5 s", frames);
    gst_object_unref(bus);
    gst_object_unref(sink);
    gst_object_unref(filter);
    gst_object_unref(pipeline);
}
GST_END_TEST;

/* ---- latency ---- */

/* What is measured is added to what upstream says, to the maximum only if there is one. */
GST_START_TEST(latency_is_added)
{
    GstHarness *harness = test_harness_new("resnet2", "fit=native");
    GstVideoInfo info = test_info("RGB", 20, 10);
    GstClockTime min, max, own;
    GstQuery *query;
    gboolean live;

    fake_engine_reset();
    fake_engine_set_mode(FAKE_INVERT);
    fake_engine_set_delay_ms(30);
    gst_harness_set_upstream_latency(harness, 7 * GST_MSECOND);
    test_set_caps(harness, &info, NULL);
    fail_unless_equals_uint64(gst_harness_query_latency(harness), 7 * GST_MSECOND);
    gst_buffer_unref(test_run(harness, frame_at(&info, 0)));
    own = gst_harness_query_latency(harness) - 7 * GST_MSECOND;
    fail_unless(own >= 30 * GST_MSECOND && own < 60 * GST_MSECOND, "%" G_GUINT64_FORMAT, own);
    fail_unless_equals_uint64(stat(harness, "latency"), own);

    query = gst_query_new_latency();
    fail_unless(gst_pad_peer_query(harness->sinkpad, query));
    gst_query_parse_latency(query, &live, &min, &max);
    fail_unless_equals_uint64(min, 7 * GST_MSECOND + own);
    fail_unless(max == GST_CLOCK_TIME_NONE || max >= min);
    gst_query_unref(query);

    /* nothing is added where nothing is done */
    g_object_set(harness->element, "enabled", FALSE, NULL);
    gst_buffer_unref(test_run(harness, frame_at(&info, FRAME)));
    fail_unless_equals_uint64(gst_harness_query_latency(harness), 7 * GST_MSECOND);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* @n frames. Returns: how often the latency that is reported became another one. */
static guint run_frames(GstHarness *harness, const GstVideoInfo *info, int n)
{
    guint changes = 0;

    for (int i = 0; i < n; i++) {
        guint64 before = stat(harness, "latency");

        gst_buffer_unref(test_run(harness, frame_at(info, i * FRAME)));
        changes += stat(harness, "latency") != before;
    }
    return changes;
}

/* A step in the network's time is a message. On a busy machine there may be more such steps than those
 * that are made here, so that messages are compared with what they are about; test-timing.c knows when
 * there has to be one. */
GST_START_TEST(latency_message)
{
    static const guint delays_ms[] = {50, 100, 0};
    GstHarness *harness = test_harness_new("resnet2", "fit=native");
    GstBus *bus = test_add_bus(harness);
    GstVideoInfo info = test_info("RGB", 20, 10);

    fake_engine_reset();
    fake_engine_set_mode(FAKE_INVERT);
    test_set_caps(harness, &info, NULL);
    test_count(bus, GST_MESSAGE_LATENCY, NULL);
    for (gsize step = 0; step < G_N_ELEMENTS(delays_ms); step++) {
        guint changes;

        fake_engine_set_delay_ms(delays_ms[step]);
        changes = run_frames(harness, &info, delays_ms[step] ? 8 : 400);
        fail_unless(changes >= 1 && changes < 8, "%u changes", changes);
        fail_unless_equals_int(test_count(bus, GST_MESSAGE_LATENCY, NULL), changes);
        fail_unless(gst_harness_query_latency(harness) >= delays_ms[step] * GST_MSECOND);
    }
    fail_unless(gst_harness_query_latency(harness) < 100 * GST_MSECOND); /* it goes down */
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* ---- events ---- */

/* Flushes forget what was late, and fresh dropout begins again with its first mask. */
GST_START_TEST(flush)
{
    GstHarness *harness =
        test_harness_new("resnet_batch_dropout.pth", "fit=native dropout=fresh seed=5");
    GstVideoInfo info = test_info("RGB", 32, 32);
    GstBuffer *first = NULL, *second, *again;
    GstSegment segment;

    fake_engine_reset();
    test_set_caps(harness, &info, NULL);
    gst_segment_init(&segment, GST_FORMAT_TIME);
    first = test_run(harness, frame_at(&info, 0));
    for (int i = 0; i < 50; i++) {
        second = test_run(harness, frame_at(&info, FRAME));
        fail_if(test_same(first, second, &info), "fresh dropout repeats itself");
        gst_buffer_unref(second);
        gst_harness_push_upstream_event(
            harness, gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2.0, 3600 * GST_SECOND, 0));
        fail_unless(gst_harness_push_event(harness, gst_event_new_flush_start()));
        fail_unless(gst_harness_push_event(harness, gst_event_new_flush_stop(TRUE)));
        fail_unless(gst_harness_push_event(harness, gst_event_new_segment(&segment)));
        again = test_run(harness, frame_at(&info, 0));
        fail_unless(test_same(first, again, &info), "round %d", i);
        gst_buffer_unref(again);
    }
    gst_buffer_unref(first);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* Lateness is a matter of running time, at any rate. */
GST_START_TEST(segments)
{
    static const double rates[] = {0.5, 2.0, -1.0};
    double rate = rates[__i__];
    GstHarness *harness = test_harness_new("resnet2", "fit=native");
    GstVideoInfo info = test_info("RGB", 20, 10);
    GstSegment segment;
    GstEvent *event;
    gboolean found = FALSE;

    fake_engine_reset();
    test_set_caps(harness, &info, NULL);
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.rate = rate;
    segment.start = 0;
    segment.stop = 10 * GST_SECOND;
    fail_unless(gst_harness_push_event(harness, gst_event_new_segment(&segment)));
    gst_buffer_unref(test_run(harness, frame_at(&info, 5 * GST_SECOND)));
    /* running time is 10 s, 2.5 s, 5 s now */
    gst_harness_push_upstream_event(
        harness,
        gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 1.0, 0,
                          gst_segment_to_running_time(&segment, GST_FORMAT_TIME, 5 * GST_SECOND) +
                              100 * GST_MSECOND));
    fail_unless_equals_int(
        gst_harness_push(
            harness, frame_at(&info, 5 * GST_SECOND + (GstClockTimeDiff)(rate * 50 * GST_MSECOND))),
        GST_FLOW_OK);
    fail_unless(gst_harness_try_pull(harness) == NULL, "50 ms later was not late");
    gst_buffer_unref(test_run(
        harness, frame_at(&info, 5 * GST_SECOND + (GstClockTimeDiff)(rate * 150 * GST_MSECOND))));

    while ((event = gst_harness_try_pull_event(harness))) {
        const GstSegment *out;

        if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) {
            gst_event_parse_segment(event, &out);
            found = found || out->rate == rate;
        }
        gst_event_unref(event);
    }
    fail_unless(found, "the segment did not come out");
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* Streams without times, or not in time at all, at no frame rate. */
GST_START_TEST(timeless)
{
    GstHarness *harness = test_harness_new("resnet2", "fit=native");
    GstVideoInfo info = test_info("RGB", 20, 10);
    GstSegment segment;
    GstBuffer *output;

    fake_engine_reset();
    info.fps_n = 0;
    test_set_caps(harness, &info, NULL);
    if (__i__) {
        gst_segment_init(&segment, GST_FORMAT_BYTES);
        fail_unless(gst_harness_push_event(harness, gst_event_new_segment(&segment)));
    }
    gst_harness_push_upstream_event(harness,
                                    gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2.0, GST_SECOND, 0));
    for (int i = 0; i < 3; i++) {
        output = test_run(harness, frame_at(&info, GST_CLOCK_TIME_NONE));
        fail_unless(GST_BUFFER_PTS(output) == GST_CLOCK_TIME_NONE);
        gst_buffer_unref(output);
    }
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* As many frames come out as went in, and the end after them. Serialised events keep their place,
 * what is not ours goes on. */
GST_START_TEST(order)
{
    GstHarness *harness = test_harness_new("resnet2", "fit=native");
    GstVideoInfo info = test_info("RGB", 20, 10);
    const GstEventType wanted[] = {GST_EVENT_TAG, GST_EVENT_CUSTOM_DOWNSTREAM, GST_EVENT_GAP,
                                   GST_EVENT_EOS};
    GstEvent *event;
    guint n = 0;

    fake_engine_reset();
    test_set_caps(harness, &info, NULL);
    for (int i = 0; i < 5; i++)
        fail_unless_equals_int(gst_harness_push(harness, frame_at(&info, i * FRAME)), GST_FLOW_OK);
    fail_unless(gst_harness_push_event(harness, gst_event_new_tag(gst_tag_list_new_empty())));
    fail_unless(gst_harness_push_event(
        harness, gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty("x"))));
    fail_unless(gst_harness_push_event(harness, gst_event_new_gap(5 * FRAME, FRAME)));
    fail_unless(gst_harness_push_event(harness, gst_event_new_eos()));
    fail_unless_equals_int(gst_harness_buffers_received(harness), 5);
    while ((event = gst_harness_try_pull_event(harness))) {
        if (n < G_N_ELEMENTS(wanted) && GST_EVENT_TYPE(event) == wanted[n])
            n++;
        gst_event_unref(event);
    }
    fail_unless_equals_int(n, G_N_ELEMENTS(wanted));
    gst_harness_teardown(harness);
}
GST_END_TEST;

static GstPadProbeReturn check_not_before(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    static guint32 flushes;
    static GstClockTime start;

    if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) {
        fail_unless(GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)) >= start);
    } else if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_SEGMENT) {
        const GstSegment *segment;

        gst_event_parse_segment(GST_PAD_PROBE_INFO_EVENT(info), &segment);
        start = segment->start;
        flushes++;
    }
    return GST_PAD_PROBE_OK;
}

/* Fifty flushing seeks: nothing from before a seek comes after it. */
GST_START_TEST(seeks)
{
    GError *error = NULL;
    GstElement *pipeline =
        gst_parse_launch("videotestsrc num-buffers=100000 ! "
                         "video/x-raw,format=I420,width=32,height=32 ! pix2pixfilter name=f "
                         "fit=native ! fakesink name=s",
                         &error);
    GstElement *filter = gst_bin_get_by_name(GST_BIN(pipeline), "f");
    GstPad *pad = gst_element_get_static_pad(filter, "src");
    g_autofree char *path = test_model("resnet2");
    GstBus *bus = gst_element_get_bus(pipeline);

    fail_unless(error == NULL);
    fake_engine_reset();
    fake_engine_set_mode(FAKE_INVERT);
    g_object_set(filter, "model", path, NULL);
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
                      check_not_before, NULL, NULL);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    fail_unless(gst_element_get_state(pipeline, NULL, NULL, 10 * GST_SECOND) ==
                GST_STATE_CHANGE_SUCCESS);
    for (int i = 0; i < 50; i++) {
        fail_unless(gst_element_seek_simple(pipeline, GST_FORMAT_TIME,
                                            GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE,
                                            (i * 37 % 50) * GST_SECOND));
        g_usleep(2000);
    }
    fail_unless(gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR) == NULL);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(bus);
    gst_object_unref(pad);
    gst_object_unref(filter);
    gst_object_unref(pipeline);
}
GST_END_TEST;

/* A pipeline stops while a frame takes long, as soon as that is done. */
GST_START_TEST(bounded_stop)
{
    GError *error = NULL;
    GstElement *pipeline = gst_parse_launch(
        "videotestsrc ! video/x-raw,width=32,height=32 ! pix2pixfilter name=f ! fakesink", &error);
    GstElement *filter = gst_bin_get_by_name(GST_BIN(pipeline), "f");
    g_autofree char *path = test_model("resnet2");
    gint64 before_us;

    fail_unless(error == NULL);
    fake_engine_reset();
    fake_engine_set_mode(FAKE_INVERT);
    fake_engine_set_delay_ms(500);
    g_object_set(filter, "model", path, NULL);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    while (fake_engine_get_calls() < 2)
        g_usleep(1000);
    before_us = g_get_monotonic_time();
    gst_element_set_state(pipeline, GST_STATE_NULL);
    fail_unless(g_get_monotonic_time() - before_us < 3 * G_USEC_PER_SEC);
    gst_object_unref(filter);
    gst_object_unref(pipeline);
}
GST_END_TEST;

static Suite *qos_latency_suite(void)
{
    Suite *suite = suite_create("qos-latency");
    TCase *tcase = tcase_create("general");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, late_frames);
    tcase_add_test(tcase, qos_off);
    tcase_add_test(tcase, no_drought);
    tcase_add_test(tcase, overload);
    tcase_add_test(tcase, latency_is_added);
    tcase_add_test(tcase, latency_message);
    tcase_add_test(tcase, flush);
    tcase_add_loop_test(tcase, segments, 0, 3);
    tcase_add_loop_test(tcase, timeless, 0, 2);
    tcase_add_test(tcase, order);
    tcase_add_test(tcase, seeks);
    tcase_add_test(tcase, bounded_stop);
    return suite;
}

int main(int argc, char **argv)
{
    gst_check_init(&argc, &argv);
    return test_main(qos_latency_suite());
}
