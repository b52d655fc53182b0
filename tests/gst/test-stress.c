/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Everything at once. Worth most when built with a sanitizer; PIX2PIX_STRESS_SECONDS says how
 * long each takes. */
#include "common.h"

static double seconds(void)
{
    const char *text = g_getenv("PIX2PIX_STRESS_SECONDS");

    return text ? g_ascii_strtod(text, NULL) : 1.0;
}

static GstHarness *stressed_harness(GstHarnessThread **pusher, GstVideoInfo *info)
{
    GstHarness *harness = test_harness_new("unet32", NULL);
    GstCaps *caps;
    GstSegment segment;
    GstBuffer *buffer;

    *info = test_info("I420", 40, 30);
    caps = gst_video_info_to_caps(info);
    buffer = test_picture(info, 0);
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_set_drop_buffers(harness, TRUE);
    *pusher = gst_harness_stress_push_buffer_start(harness, caps, &segment, buffer);
    gst_buffer_unref(buffer);
    gst_caps_unref(caps);
    return harness;
}

static gint running;

/* Any property at any time. */
static gpointer set_main(gpointer data)
{
    GstElement *element = data;
    g_autofree char *one = test_model("unet32"), *other = test_model("unet32_1to3");
    const char *models[] = {one, other, one, "/nonexistent"};
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);

    while (g_atomic_int_get(&running)) {
        switch (g_rand_int_range(rand, 0, 9)) {
        case 0:
            g_object_set(element, "model", models[g_rand_int_range(rand, 0, 4)], NULL);
            break;
        case 1:
            g_object_set(element, "domain", g_rand_int_range(rand, 0, 2) ? "x" : NULL, NULL);
            break;
        case 2:
            g_object_set(element, "norm-statistics", g_rand_int_range(rand, 0, 3), NULL);
            break;
        case 3:
            g_object_set(element, "dropout", g_rand_int_range(rand, 0, 3), NULL);
            break;
        case 4:
            g_object_set(element, "seed", (guint64)g_rand_int(rand), NULL);
            break;
        case 5:
            g_object_set(element, "fit", g_rand_int_range(rand, 0, 3), NULL);
            break;
        case 6:
            g_object_set(element, "strength", g_rand_int_range(rand, 0, 3) / 2.0, NULL);
            break;
        case 7:
            g_object_set(element, "enabled", g_rand_int_range(rand, 0, 4) > 0, NULL);
            break;
        case 8:
            g_object_set(element, "device", "cpu", "threads", g_rand_int_range(rand, 0, 3), NULL);
            break;
        }
        g_usleep(g_rand_int_range(rand, 0, 500));
    }
    return NULL;
}

static gpointer get_main(gpointer data)
{
    GstElement *element = data;

    while (g_atomic_int_get(&running)) {
        GstStructure *stats;
        char *model, *device;
        double strength;

        g_object_get(element, "stats", &stats, "model", &model, "device", &device, "strength",
                     &strength, NULL);
        gst_structure_free(stats);
        g_free(model);
        g_free(device);
        g_usleep(1000); /* at 1 kHz */
    }
    return NULL;
}

static void run_with(GstHarness *harness, GThreadFunc *functions, int n)
{
    GThread *threads[8];

    g_atomic_int_set(&running, 1);
    for (int i = 0; i < n; i++)
        threads[i] = g_thread_new("stress", functions[i], harness->element);
    g_usleep((gulong)(seconds() * G_USEC_PER_SEC));
    g_atomic_int_set(&running, 0);
    for (int i = 0; i < n; i++)
        g_thread_join(threads[i]);
}

GST_START_TEST(properties)
{
    GThreadFunc functions[] = {set_main, set_main, get_main};
    GstHarnessThread *pusher;
    GstVideoInfo info;
    GstHarness *harness = stressed_harness(&pusher, &info);

    fake_engine_reset();
    run_with(harness, functions, 3);
    gst_harness_stress_thread_stop(pusher);
    fail_unless(gst_harness_buffers_received(harness) > 0);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* GStreamer's own stress of one property at a time. */
GST_START_TEST(property)
{
    static const char *const names[] = {"strength", "dropout", "seed", "fit", "norm-statistics"};
    GstHarnessThread *pusher, *setter;
    GstVideoInfo info;
    GstHarness *harness = stressed_harness(&pusher, &info);
    GParamSpec *pspec =
        g_object_class_find_property(G_OBJECT_GET_CLASS(harness->element), names[__i__]);
    GValue value = G_VALUE_INIT;

    fake_engine_reset();
    g_value_init(&value, pspec->value_type);
    g_param_value_set_default(pspec, &value);
    setter = gst_harness_stress_property_start(harness, names[__i__], &value);
    g_usleep((gulong)(seconds() * G_USEC_PER_SEC / 5));
    gst_harness_stress_thread_stop(setter);
    gst_harness_stress_thread_stop(pusher);
    g_value_unset(&value);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* With any model that was last set; some cannot start. */
static gpointer state_main(gpointer data)
{
    static const GstState states[] = {GST_STATE_NULL, GST_STATE_PLAYING, GST_STATE_READY,
                                      GST_STATE_PAUSED};

    for (int i = 0; g_atomic_int_get(&running); i++) {
        gst_element_set_state(data, states[i % 4]);
        g_usleep(100);
    }
    return NULL;
}

/* States up and down under the frames. */
GST_START_TEST(states)
{
    GThreadFunc functions[] = {state_main, set_main, get_main};
    GstHarnessThread *pusher, *changer;
    GstVideoInfo info;
    GstHarness *harness = stressed_harness(&pusher, &info);

    fake_engine_reset();
    changer = gst_harness_stress_statechange_start(harness);
    g_usleep((gulong)(seconds() * G_USEC_PER_SEC / 2));
    gst_harness_stress_thread_stop(changer);
    gst_harness_stress_thread_stop(pusher);
    gst_harness_teardown(harness);

    /* and with properties that change meanwhile */
    harness = test_harness_new("unet32", NULL);
    run_with(harness, functions, 3);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* Queries, flushes, seeks and latency from elsewhere. */
static gpointer query_main(gpointer data)
{
    GstPad *src = gst_element_get_static_pad(data, "src");
    GstPad *sink = gst_element_get_static_pad(data, "sink");

    while (g_atomic_int_get(&running)) {
        GstQuery *query = gst_query_new_latency();
        GstCaps *caps = gst_pad_query_caps(sink, NULL);

        gst_pad_query(src, query);
        gst_query_unref(query);
        gst_caps_unref(caps);
        caps = gst_caps_from_string("video/x-raw,format=RGB,width=64,height=20,framerate=1/1");
        gst_pad_query_accept_caps(sink, caps);
        gst_caps_unref(caps);
        gst_pad_send_event(src, gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 1.5, 1000, 0));
        gst_pad_send_event(src, gst_event_new_reconfigure());
        gst_pad_send_event(src, gst_navigation_event_new_mouse_move(3, 4, 0));
        g_usleep(200);
    }
    gst_object_unref(src);
    gst_object_unref(sink);
    return NULL;
}

GST_START_TEST(queries)
{
    GThreadFunc functions[] = {query_main, set_main, get_main};
    GstHarnessThread *pusher;
    GstVideoInfo info;
    GstHarness *harness = stressed_harness(&pusher, &info);

    fake_engine_reset();
    run_with(harness, functions, 3);
    gst_harness_stress_thread_stop(pusher);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* Caps of all kinds, one after the other, right or wrong. */
GST_START_TEST(caps)
{
    g_auto(GStrv) formats = test_formats();
    GstHarness *harness = test_harness_new("unet32", NULL);
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);
    gint64 end_us = g_get_monotonic_time() + (gint64)(seconds() * G_USEC_PER_SEC);
    guint n_formats = g_strv_length(formats), good = 0;

    fake_engine_reset();
    while (g_get_monotonic_time() < end_us) {
        int width = g_rand_int_range(rand, 0, 90), height = g_rand_int_range(rand, 0, 90);
        const char *format = formats[g_rand_int_range(rand, 0, n_formats)];
        gsize size = g_rand_int_range(rand, 0, 3) ? 90 * 90 * 4 : g_rand_int_range(rand, 1, 9000);
        GstCaps *stream = gst_caps_new_simple(
            "video/x-raw", "format", G_TYPE_STRING, format, "width", G_TYPE_INT, width, "height",
            G_TYPE_INT, height, "framerate", GST_TYPE_FRACTION, 25, 1, "pixel-aspect-ratio",
            GST_TYPE_FRACTION, g_rand_int_range(rand, 1, 100), g_rand_int_range(rand, 1, 100),
            NULL);
        GstBuffer *output, *buffer = gst_buffer_new_allocate(NULL, size, NULL);

        gst_buffer_memset(buffer, 0, 77, size);
        gst_util_set_object_arg(G_OBJECT(harness->element), "fit",
                                g_rand_boolean(rand) ? "letterbox" : "native");
        gst_harness_set_src_caps(harness, stream);
        if (gst_harness_push(harness, buffer) == GST_FLOW_OK)
            good++;
        while ((output = gst_harness_try_pull(harness)))
            gst_buffer_unref(output);
    }
    fail_unless(good > 0);
    gst_harness_teardown(harness);
}
GST_END_TEST;

static Suite *stress_suite(void)
{
    Suite *suite = suite_create("stress");
    TCase *tcase = tcase_create("general");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, properties);
    tcase_add_loop_test(tcase, property, 0, 5);
    tcase_add_test(tcase, states);
    tcase_add_test(tcase, queries);
    tcase_add_test(tcase, caps);
    return suite;
}

int main(int argc, char **argv)
{
    gst_check_init(&argc, &argv);
    return test_main(stress_suite());
}
