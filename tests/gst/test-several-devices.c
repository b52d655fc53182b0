/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Another device, several at a time, and the CPU that takes over from one that fails. */
#include <string.h>

#include "common.h"

static GstBuffer *cpu_frame(const GstVideoInfo *info)
{
    GstHarness *harness = test_harness_new("unet32", "device=cpu");
    GstBuffer *frame;

    test_set_caps(harness, info, NULL);
    frame = test_run(harness, test_picture(info, 0));
    gst_harness_teardown(harness);
    return frame;
}

/* ---- the CPU takes over ---- */

#define CPU_TAKES_OVER "the processor has left; the CPU takes over"

static void expect_warning(GstBus *bus, const char *text)
{
    GstMessage *message;
    GError *error;

    fail_unless_equals_int(test_count(bus, GST_MESSAGE_WARNING, &message), 1);
    gst_message_parse_warning(message, &error, NULL);
    fail_unless(g_error_matches(error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED));
    fail_unless(strstr(error->message, text) != NULL, "%s", error->message);
    g_error_free(error);
    gst_message_unref(message);
}

/* A harness whose element has lost its device once @step is done again. */
static GstHarness *failing_harness(FakeStep step, gboolean automatic, const char *settings,
                                   GstBus **bus)
{
    GstHarness *harness = test_harness_new("unet32", settings);

    *bus = test_add_bus(harness);
    gst_element_set_state(harness->element, GST_STATE_READY);
    fake_engine_reset();
    fake_engine_set_automatic(automatic);
    fake_engine_fail_next(step);
    return harness;
}

/* Whatever step fails, all frames come out, with one warning. */
GST_START_TEST(takes_over)
{
    GstVideoInfo info = test_info("RGB", 40, 30);
    GstBuffer *wanted = cpu_frame(&info);
    GstBus *bus;
    GstHarness *harness = failing_harness(__i__, TRUE, NULL, &bus);

    fail_unless_equals_int(gst_element_set_state(harness->element, GST_STATE_PLAYING),
                           GST_STATE_CHANGE_SUCCESS);
    test_set_caps(harness, &info, NULL);
    for (int i = 0; i < 3; i++) {
        GstBuffer *frame = test_run(harness, test_picture(&info, 0));

        fail_unless(test_same(frame, wanted, &info));
        gst_buffer_unref(frame);
    }
    expect_warning(bus, CPU_TAKES_OVER);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_ERROR, NULL), 0);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
    gst_buffer_unref(wanted);
    fake_engine_reset();
}
GST_END_TEST;

/* Nothing does where the device was named: an error, and no frame. */
GST_START_TEST(named)
{
    GstVideoInfo info = test_info("RGB", 40, 30);
    GstBus *bus;
    GstHarness *harness = failing_harness(__i__, FALSE, NULL, &bus);

    fail_unless_equals_int(gst_element_set_state(harness->element, GST_STATE_PLAYING),
                           __i__ == FAKE_LOAD ? GST_STATE_CHANGE_FAILURE
                                              : GST_STATE_CHANGE_SUCCESS);
    if (__i__ != FAKE_LOAD)
        test_set_caps(harness, &info, NULL);
    if (__i__ >= FAKE_FRAME)
        fail_unless_equals_int(gst_harness_push(harness, test_picture(&info, 0)), GST_FLOW_ERROR);
    fail_unless(gst_harness_try_pull(harness) == NULL);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_ERROR, NULL), 1);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_WARNING, NULL), 0);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
    fake_engine_reset();
}
GST_END_TEST;

/* A model that another device cannot take while frames flow comes with the CPU. */
GST_START_TEST(takes_over_swap)
{
    GstVideoInfo info = test_info("RGB", 32, 32);
    g_autofree char *path = test_model("unet32_1to3"), *used = NULL;
    GstHarness *harness = test_harness_new("unet32", NULL);
    GstBus *bus = test_add_bus(harness);

    fake_engine_reset();
    fake_engine_set_automatic(TRUE);
    test_set_caps(harness, &info, NULL);
    gst_buffer_unref(test_run(harness, test_picture(&info, 0)));
    fake_engine_fail_next(FAKE_LOAD);
    g_object_set(harness->element, "model", path, NULL);
    for (int i = 0; i < 2000 && g_strcmp0(used, path) != 0; i++) {
        gst_buffer_unref(test_run(harness, test_picture(&info, 0)));
        g_usleep(1000);
        g_free(used);
        used = test_stats_string(harness->element, "model");
    }
    fail_unless_equals_string(used, path);
    gst_buffer_unref(test_run(harness, test_picture(&info, 0)));
    expect_warning(bus, CPU_TAKES_OVER);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_ERROR, NULL), 0);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
    fake_engine_reset();
}
GST_END_TEST;

static gint warnings;

static void count_warning(GstDebugCategory *category, GstDebugLevel level, const gchar *file,
                          const gchar *function, gint line, GObject *object,
                          GstDebugMessage *message, gpointer data)
{
    if (level == GST_LEVEL_WARNING && strstr(gst_debug_message_get(message), "the GPU is wrong; "))
        g_atomic_int_inc(&warnings);
}

/* A GPU that was refused is told of once, when the device is opened. */
GST_START_TEST(refused)
{
    GstVideoInfo info = test_info("RGB", 32, 32);
    GstHarness *harness;

    fake_engine_reset();
    if (__i__)
        fake_engine_set_refused("the GPU is wrong");
    g_atomic_int_set(&warnings, 0);
    test_listen(count_warning);
    harness = test_harness_new("unet32", NULL);
    for (int i = 0; i < 2; i++) {
        gst_element_set_state(harness->element, GST_STATE_READY);
        gst_element_set_state(harness->element, GST_STATE_PLAYING);
        test_set_caps(harness, &info, NULL);
        gst_buffer_unref(test_run(harness, test_picture(&info, 0)));
    }
    gst_harness_teardown(harness);
    test_listen_no_more(count_warning);
    fail_unless_equals_int(g_atomic_int_get(&warnings), __i__);
    fake_engine_reset();
}
GST_END_TEST;

/* ---- a GPU, be it a processor that plays one ---- */

static void expect_device(GstElement *element, const char *prefix)
{
    g_autofree char *device = test_stats_string(element, "device");
    g_autofree char *name = test_stats_string(element, "device-name");

    fail_unless(device && g_str_has_prefix(device, prefix), "%s", device);
    fail_unless(name && *name);
}

/* The same element on one device after the other. */
GST_START_TEST(other_device)
{
    static const char *const devices[] = {"cpu", "vulkan", "cpu"};
    GstVideoInfo info = test_info("RGB", 32, 32);
    GstBuffer *wanted = cpu_frame(&info);
    GstHarness *harness = test_harness_new("unet32", "device=cpu");

    fake_engine_reset();
    for (gsize i = 0; i < G_N_ELEMENTS(devices); i++) {
        GstBuffer *frame;
        int largest;

        gst_element_set_state(harness->element, GST_STATE_READY);
        g_object_set(harness->element, "device", devices[i], NULL);
        fail_unless_equals_int(gst_element_set_state(harness->element, GST_STATE_PLAYING),
                               GST_STATE_CHANGE_SUCCESS);
        expect_device(harness->element, devices[i]);
        test_set_caps(harness, &info, NULL);
        frame = test_run(harness, test_picture(&info, 0));
        test_difference(frame, wanted, &info, &largest);
        fail_unless(largest <= 1, "%s differs by %d", devices[i], largest);
        gst_buffer_unref(frame);
    }
    gst_harness_teardown(harness);
    gst_buffer_unref(wanted);
}
GST_END_TEST;

#define OPENED_AGAIN "the processor has left; it has been opened again"

static void push_and_compare(GstHarness *harness, GstBuffer *wanted, const GstVideoInfo *info)
{
    GstBuffer *frame = test_run(harness, test_picture(info, 0));
    int largest;

    test_difference(frame, wanted, info, &largest);
    fail_unless(largest <= 1, "it differs by %d", largest);
    gst_buffer_unref(frame);
}

/* A GPU that is lost is opened again, whatever was being done, and no frame is lost. */
GST_START_TEST(opened_again)
{
    GstVideoInfo info = test_info("RGB", 32, 32);
    GstBuffer *wanted = cpu_frame(&info);
    GstBus *bus;
    GstHarness *harness = failing_harness(__i__, FALSE, "device=vulkan", &bus);

    fake_engine_set_reopens(TRUE);
    fail_unless_equals_int(gst_element_set_state(harness->element, GST_STATE_PLAYING),
                           GST_STATE_CHANGE_SUCCESS);
    test_set_caps(harness, &info, NULL);
    for (int i = 0; i < 3; i++)
        push_and_compare(harness, wanted, &info);
    expect_device(harness->element, "vulkan");
    expect_warning(bus, OPENED_AGAIN);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_ERROR, NULL), 0);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
    gst_buffer_unref(wanted);
    fake_engine_reset();
}
GST_END_TEST

/* The second time within a minute the CPU takes over, or it is an error. */
GST_START_TEST(lost_twice)
{
    GstVideoInfo info = test_info("RGB", 32, 32);
    GstBuffer *wanted = cpu_frame(&info);
    GstBus *bus;
    GstHarness *harness = failing_harness(FAKE_FRAME, __i__, "device=vulkan", &bus);

    fake_engine_set_reopens(TRUE);
    gst_element_set_state(harness->element, GST_STATE_PLAYING);
    test_set_caps(harness, &info, NULL);
    push_and_compare(harness, wanted, &info);
    expect_warning(bus, OPENED_AGAIN);
    fake_engine_fail_next(FAKE_RESULT);
    if (__i__) {
        push_and_compare(harness, wanted, &info);
        expect_warning(bus, CPU_TAKES_OVER);
        expect_device(harness->element, "cpu");
    } else {
        fail_unless_equals_int(gst_harness_push(harness, test_picture(&info, 0)), GST_FLOW_ERROR);
        fail_unless(gst_harness_try_pull(harness) == NULL);
    }
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_ERROR, NULL), !__i__);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
    gst_buffer_unref(wanted);
    fake_engine_reset();
}
GST_END_TEST

/* Returns: how many came out. */
static int pull_all(GstHarness *harness, GstBuffer *wanted, const GstVideoInfo *info)
{
    GstBuffer *frame;
    int n = 0, largest;

    for (; (frame = gst_harness_try_pull(harness)); n++) {
        test_difference(frame, wanted, info, &largest);
        fail_unless(largest <= 1, "frame %d differs by %d", n, largest);
        gst_buffer_unref(frame);
    }
    return n;
}

#define LOST 2 /* at most: what is in flight */

/* A GPU that is lost with frames in flight takes those along, and nothing else. */
GST_START_TEST(takes_over_in_flight)
{
    GstVideoInfo info = test_info("RGB", 32, 32);
    GstBuffer *wanted = cpu_frame(&info);
    GstHarness *harness = test_harness_new("unet32", "device=vulkan in-flight=2");
    GstBus *bus = test_add_bus(harness);
    int n;

    fake_engine_reset();
    fake_engine_set_automatic(TRUE);
    test_set_caps(harness, &info, NULL);
    for (int i = 0; i < 8; i++) {
        if (i == 4)
            fake_engine_fail_next(__i__);
        fail_unless_equals_int(gst_harness_push(harness, test_picture(&info, 0)), GST_FLOW_OK);
    }
    fail_unless(gst_harness_push_event(harness, gst_event_new_eos()));
    n = pull_all(harness, wanted, &info);
    fail_unless(n >= 8 - LOST, "%d frames came out", n);
    expect_device(harness->element, "cpu");
    expect_warning(bus, CPU_TAKES_OVER);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_ERROR, NULL), 0);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
    gst_buffer_unref(wanted);
    fake_engine_reset();
}
GST_END_TEST;

#define FRAMES 3
#define SINKS 3

typedef struct {
    GstBuffer *frames[FRAMES];
    int n;
} Sink;

static void keep(GstElement *element, GstBuffer *buffer, GstPad *pad, gpointer data)
{
    Sink *sink = data;

    fail_unless(sink->n < FRAMES);
    sink->frames[sink->n++] = gst_buffer_ref(buffer);
}

static void run_until_eos(GstElement *pipeline)
{
    GstBus *bus = gst_element_get_bus(pipeline);
    GstMessage *message;

    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    message = gst_bus_timed_pop_filtered(bus, 50 * GST_SECOND, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
    fail_unless(message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS);
    gst_message_unref(message);
    gst_object_unref(bus);
}

/* Two on one GPU beside one on the CPU, in one pipeline: they see the same. */
GST_START_TEST(one_pipeline)
{
    static const char *const devices[SINKS] = {"vulkan", "vulkan", "cpu"};
    GstVideoInfo info = test_info("RGB", 32, 32);
    g_autofree char *model = test_model("unet32");
    g_autoptr(GString) line = g_string_new(
        "videotestsrc num-buffers=3 ! video/x-raw,format=RGB,width=32,height=32 ! tee name=t");
    Sink sinks[SINKS] = {0};
    GstElement *pipeline;

    fake_engine_reset();
    for (int i = 0; i < SINKS; i++)
        g_string_append_printf(
            line,
            " t. ! queue ! pix2pixfilter name=f%d model=\"%s\" device=%s qos=false "
            "! fakesink name=s%d signal-handoffs=true",
            i, model, devices[i], i);
    pipeline = gst_parse_launch(line->str, NULL);
    for (int i = 0; i < SINKS; i++) {
        g_autofree char *name = g_strdup_printf("s%d", i);
        GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), name);

        g_signal_connect(sink, "handoff", G_CALLBACK(keep), &sinks[i]);
        gst_object_unref(sink);
    }
    run_until_eos(pipeline);
    for (int i = 0; i < SINKS; i++) {
        g_autofree char *name = g_strdup_printf("f%d", i);
        GstElement *filter = gst_bin_get_by_name(GST_BIN(pipeline), name);

        expect_device(filter, devices[i]);
        gst_object_unref(filter);
        fail_unless_equals_int(sinks[i].n, FRAMES);
        for (int n = 0; n < FRAMES; n++) {
            int largest;

            test_difference(sinks[i].frames[n], sinks[0].frames[n], &info, &largest);
            fail_unless(largest <= 1, "%s differs by %d", devices[i], largest);
        }
    }
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
    for (int i = 0; i < SINKS; i++)
        for (int n = 0; n < FRAMES; n++)
            gst_buffer_unref(sinks[i].frames[n]);
}
GST_END_TEST;

static Suite *several_devices_suite(void)
{
    Suite *suite = suite_create("several-devices");
    TCase *tcase = tcase_create("general");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, takes_over, 0, FAKE_RESULT + 1);
    tcase_add_loop_test(tcase, named, 0, FAKE_RESULT + 1);
    tcase_add_test(tcase, takes_over_swap);
    tcase_add_loop_test(tcase, refused, 0, 2);
    if (test_has_vulkan()) { /* not a list of what was skipped */
        tcase_add_test(tcase, other_device);
        tcase_add_loop_test(tcase, opened_again, 0, FAKE_RESULT + 1);
        tcase_add_loop_test(tcase, lost_twice, 0, 2);
        tcase_add_loop_test(tcase, takes_over_in_flight, FAKE_FRAME, FAKE_RESULT + 1);
        tcase_add_test(tcase, one_pipeline);
    }
    return suite;
}

int main(int argc, char **argv)
{
    test_prepare_listening();
    gst_check_init(&argc, &argv);
    return test_main(several_devices_suite());
}
