/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Up, down and zigzag; what is done when; what is forgotten. */
#include <gst/base/gstbasetransform.h>
#include <stdio.h>
#include <string.h>

#include "common.h"

static GstElement *element_new(const char *model)
{
    GstElement *element = gst_element_factory_make("pix2pixfilter", NULL);
    g_autofree char *path = model ? test_model(model) : NULL;

    fail_unless(element != NULL);
    if (path)
        g_object_set(element, "model", path, NULL);
    return element;
}

/* GStreamer's own list of changes for every element, alone and unlinked. */
GST_START_TEST(generic_states)
{
    static const GstState walks[][12] = {
        {GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_PAUSED, GST_STATE_READY,
         GST_STATE_NULL},
        {GST_STATE_PLAYING, GST_STATE_NULL, GST_STATE_PLAYING, GST_STATE_NULL},
        {GST_STATE_READY, GST_STATE_NULL, GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_PAUSED,
         GST_STATE_READY, GST_STATE_PLAYING, GST_STATE_READY, GST_STATE_PLAYING, GST_STATE_PAUSED,
         GST_STATE_NULL},
    };
    GstElement *element = element_new("resnet2");

    for (gsize i = 0; i < G_N_ELEMENTS(walks[0]); i++) {
        if (walks[__i__][i] == GST_STATE_VOID_PENDING)
            break;
        fail_unless_equals_int(gst_element_set_state(element, walks[__i__][i]),
                               GST_STATE_CHANGE_SUCCESS);
    }
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_NULL),
                           GST_STATE_CHANGE_SUCCESS);
    gst_object_unref(element);
}
GST_END_TEST;

/* Without a model, READY works; PAUSED does not, and says why once. */
GST_START_TEST(missing_model)
{
    GstElement *element = element_new(NULL);
    GstBus *bus = gst_bus_new();
    GstMessage *message;
    GError *error;

    gst_element_set_bus(element, bus);
    g_object_set(element, "model", "/nonexistent/model.safetensors", NULL);
    for (int i = 0; i < 3; i++) {
        fail_unless_equals_int(gst_element_set_state(element, GST_STATE_READY),
                               GST_STATE_CHANGE_SUCCESS);
        fail_unless_equals_int(test_count(bus, GST_MESSAGE_ERROR, NULL), 0);
        fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                               GST_STATE_CHANGE_FAILURE);
        fail_unless_equals_int(test_count(bus, GST_MESSAGE_ERROR, &message), 1);
        gst_message_parse_error(message, &error, NULL);
        fail_unless(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND));
        fail_unless(strstr(error->message, "/nonexistent/model.safetensors") != NULL);
        g_error_free(error);
        gst_message_unref(message);
        gst_element_set_state(element, GST_STATE_NULL);
    }
    gst_element_set_bus(element, NULL);
    gst_object_unref(bus);
    gst_object_unref(element);
}
GST_END_TEST;

static gboolean file_is_open(const char *path)
{
    GDir *dir = g_dir_open("/proc/self/fd", 0, NULL);
    const char *name;
    gboolean open = FALSE;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *link = g_build_filename("/proc/self/fd", name, NULL);
        g_autofree char *target = g_file_read_link(link, NULL);

        open = open || g_strcmp0(target, path) == 0;
    }
    if (dir)
        g_dir_close(dir);
    return open;
}

static guint count_threads(void)
{
    GDir *dir = g_dir_open("/proc/self/task", 0, NULL);
    guint n = 0;

    while (dir && g_dir_read_name(dir))
        n++;
    if (dir)
        g_dir_close(dir);
    return n;
}

static guint64 stats_memory(GstElement *element)
{
    GstStructure *stats;
    guint64 memory;

    g_object_get(element, "stats", &stats, NULL);
    fail_unless(gst_structure_get_uint64(stats, "memory", &memory));
    gst_structure_free(stats);
    return memory;
}

/* Making an element opens, starts and takes nothing; the model comes with PAUSED and goes with
 * READY. */
GST_START_TEST(nothing_early)
{
    g_autofree char *path = test_model("unet32");
    guint threads = count_threads();
    GstElement *element = element_new("unet32");

    g_object_set(element, "threads", 2, NULL);
    fail_unless(TEST_SANITIZED || count_threads() <= threads);
    fail_unless(stats_memory(element) == 0);
    gst_element_set_state(element, GST_STATE_READY);
    fail_unless(stats_memory(element) == 0);
    gst_element_set_state(element, GST_STATE_PAUSED);
    fail_unless(stats_memory(element) > 0);
    gst_element_set_state(element, GST_STATE_READY);
    fail_unless(stats_memory(element) == 0);
    gst_element_set_state(element, GST_STATE_NULL);
    fail_unless(TEST_SANITIZED || count_threads() <= threads);
    fail_if(file_is_open(path));
    gst_object_unref(element);
}
GST_END_TEST;

/* No thread beside the streaming one with threads=1. */
GST_START_TEST(threads)
{
    guint before = count_threads();
    GstHarness *harness = test_harness_new("resnet2", "threads=1 device=cpu");
    GstVideoInfo in = test_info("I420", 640, 480), out = test_info("RGB", 320, 200);

    fake_engine_reset();
    test_set_caps(harness, &in, &out);
    gst_buffer_unref(test_run(harness, test_picture(&in, 0)));
    fail_unless(TEST_SANITIZED || count_threads() <= before);
    gst_harness_teardown(harness);

    harness = test_harness_new("resnet2", "threads=2 device=cpu");
    test_set_caps(harness, &in, &out);
    gst_buffer_unref(test_run(harness, test_picture(&in, 0)));
    fail_unless(count_threads() > before, "the second thread is missing");
    gst_harness_teardown(harness);
}
GST_END_TEST;

static gsize resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file) {
        fail_unless_equals_int(fscanf(file, "%*s %ld", &pages), 1);
        fclose(file);
    }
    return pages * 4;
}

/* Two hundred times through all states with a frame in each: nothing is left behind. */
GST_START_TEST(cycles)
{
    GstVideoInfo info = test_info("I420", 40, 30);
    gsize early = 0;

    fake_engine_reset();
    for (int i = 0; i < 200; i++) {
        GstHarness *harness = test_harness_new("unet32", NULL);

        test_set_caps(harness, &info, NULL);
        gst_buffer_unref(test_run(harness, test_picture(&info, i)));
        gst_harness_teardown(harness);
        if (i == 50)
            early = resident_kib();
    }
    /* Validation remembers what it has seen. */
    fail_unless(TEST_SANITIZED || g_getenv("VK_INSTANCE_LAYERS") || resident_kib() < early + 8192,
                "%" G_GSIZE_FORMAT " KiB grew to %" G_GSIZE_FORMAT, early, resident_kib());
}
GST_END_TEST;

/* The same element again after NULL, with other caps and another model; the stream before it is
 * forgotten. */
GST_START_TEST(reuse)
{
    static const char *const models[] = {"unet32", "resnet2", "unet32_1to3", "unet32"};
    GstElement *element = element_new(NULL);

    fake_engine_reset();
    gst_object_ref_sink(element);
    for (int i = 0; i < 4; i++) {
        g_autofree char *path = test_model(models[i]);
        GstVideoInfo info = test_info(i % 2 ? "NV12" : "RGB", 32 + 8 * i, 32);
        GstHarness *harness;
        GstStructure *stats;
        guint64 frames;

        g_object_set(element, "model", path, "in-flight", 1, NULL);
        harness = gst_harness_new_with_element(element, "sink", "src");
        test_set_caps(harness, &info, NULL);
        for (int n = 0; n <= i; n++)
            gst_buffer_unref(test_run(harness, test_picture(&info, n)));
        g_object_get(element, "stats", &stats, NULL);
        fail_unless(gst_structure_get_uint64(stats, "frames", &frames) && frames == (guint64)i + 1);
        fail_unless_equals_string(gst_structure_get_string(stats, "model"), path);
        gst_structure_free(stats);
        gst_harness_teardown(harness);
        fail_unless_equals_int(gst_element_set_state(element, GST_STATE_NULL),
                               GST_STATE_CHANGE_SUCCESS);
        g_object_get(element, "stats", &stats, NULL);
        fail_unless(gst_structure_get_uint64(stats, "frames", &frames) && frames == 0);
        gst_structure_free(stats);
    }
    gst_object_unref(element);
}
GST_END_TEST;

/* A property that was set in READY counts, the device's too. */
GST_START_TEST(set_in_ready)
{
    GstElement *element = element_new("resnet2");
    GstBus *bus = gst_bus_new();

    gst_element_set_bus(element, bus);
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_READY),
                           GST_STATE_CHANGE_SUCCESS);
    g_object_set(element, "device", "abacus", NULL);
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                           GST_STATE_CHANGE_FAILURE);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_ERROR, NULL), 1);
    g_object_set(element, "device", "cpu", NULL);
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                           GST_STATE_CHANGE_SUCCESS);
    gst_element_set_state(element, GST_STATE_NULL);
    gst_element_set_bus(element, NULL);
    gst_object_unref(bus);
    gst_object_unref(element);
}
GST_END_TEST;

/* Several at once, of different models, and one model twice. */
GST_START_TEST(several)
{
    static const char *const models[] = {"unet32", "resnet2", "unet32", "unet32_1to3"};
    GstHarness *harnesses[8];
    GstVideoInfo info = test_info("I420", 32, 32);
    GstBuffer *outputs[8];

    fake_engine_reset();
    for (int i = 0; i < 8; i++) {
        harnesses[i] = test_harness_new(models[i % 4], NULL);
        test_set_caps(harnesses[i], &info, NULL);
    }
    for (int i = 0; i < 8; i++)
        outputs[i] = test_run(harnesses[i], test_picture(&info, 0));
    for (int i = 0; i < 4; i++)
        fail_unless(test_same(outputs[i], outputs[i + 4], &info));
    fail_unless(test_same(outputs[0], outputs[2], &info));
    fail_if(test_same(outputs[0], outputs[1], &info));
    for (int i = 0; i < 8; i++) {
        gst_buffer_unref(outputs[i]);
        gst_harness_teardown(harnesses[i]);
    }
}
GST_END_TEST;

static Suite *states_suite(void)
{
    Suite *suite = suite_create("states");
    TCase *tcase = tcase_create("general");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, generic_states, 0, 3);
    tcase_add_test(tcase, missing_model);
    tcase_add_test(tcase, nothing_early);
    tcase_add_test(tcase, threads);
    tcase_add_test(tcase, cycles);
    tcase_add_test(tcase, reuse);
    tcase_add_test(tcase, set_in_ready);
    tcase_add_test(tcase, several);
    return suite;
}

int main(int argc, char **argv)
{
    gst_check_init(&argc, &argv);
    return test_main(states_suite());
}
