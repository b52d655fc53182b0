/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Another model, or other settings, while frames flow. */
#include <string.h>

#include "common.h"

/* A model that takes its time to load. */
#define LARGE_MODEL (TEST_SANITIZED ? "resnet2" : "facades")

static char *model_in_use(GstHarness *harness)
{
    GstStructure *stats;
    char *model;

    g_object_get(harness->element, "stats", &stats, NULL);
    model = g_path_get_basename(gst_structure_get_string(stats, "model"));
    gst_structure_free(stats);
    return model;
}

/* The result of one picture with fresh elements: what a swapped one must give. */
static GstBuffer *reference(const char *model, const char *settings, const GstVideoInfo *info)
{
    GstHarness *harness = test_harness_new(model, settings);
    GstBuffer *output;

    test_set_caps(harness, info, NULL);
    output = test_run(harness, test_picture(info, 0));
    gst_harness_teardown(harness);
    return output;
}

/* Pushes frames until one comes out as @wanted; none may be anything but @before or @wanted. */
static void push_until(GstHarness *harness, const GstVideoInfo *info, GstBuffer *before,
                       GstBuffer *wanted)
{
    for (int i = 0; i < 2000; i++) {
        GstBuffer *output = test_run(harness, test_picture(info, 0));
        gboolean done = test_same(output, wanted, info);

        fail_unless(done || test_same(output, before, info), "frame %d is of neither model", i);
        gst_buffer_unref(output);
        if (done)
            return;
        g_usleep(1000);
    }
    fail("the other model did not take over");
}

static void set_model(GstHarness *harness, const char *model)
{
    g_autofree char *path = g_str_equal(model, "facades") ? g_strdup(model) : test_model(model);

    g_object_set(harness->element, "model", path, NULL);
}

GST_START_TEST(swap)
{
    GstVideoInfo info = test_info(__i__ ? "I420" : "RGB", 48, 40);
    GstBuffer *before, *after;
    GstHarness *harness;
    GstBus *bus;
    char *name;

    fake_engine_reset();
    before = reference("unet32", NULL, &info);
    after = reference("unet32_1to3", NULL, &info);
    fail_if(test_same(before, after, &info));
    harness = test_harness_new("unet32", NULL);
    bus = test_add_bus(harness);
    test_set_caps(harness, &info, NULL);
    push_until(harness, &info, before, before);
    for (int i = 0; i < 10; i++) {
        set_model(harness, i % 2 ? "unet32" : "unet32_1to3");
        push_until(harness, &info, i % 2 ? after : before, i % 2 ? before : after);
        name = model_in_use(harness);
        fail_unless_equals_string(name, i % 2 ? "unet32.safetensors" : "unet32_1to3.safetensors");
        g_free(name);
    }
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR, NULL), 0);
    gst_buffer_unref(before);
    gst_buffer_unref(after);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* A bad one: a warning, and the old one goes on without a frame less. A good one then works. */
GST_START_TEST(bad_model)
{
    static const char *const bad[] = {"nowhere", "patchgan", "unet_none.pth", "mm_cyclegan.pth"};
    GstVideoInfo info = test_info("RGB", 32, 32);
    GstBuffer *before, *after;
    GstHarness *harness;
    GstMessage *message;
    GError *error;
    GstBus *bus;
    char *name;

    fake_engine_reset();
    before = reference("unet32", NULL, &info);
    after = reference("unet32_1to3", NULL, &info);
    harness = test_harness_new("unet32", NULL);
    bus = test_add_bus(harness);
    test_set_caps(harness, &info, NULL);
    push_until(harness, &info, before, before);
    set_model(harness, bad[__i__]);
    message = NULL;
    for (int i = 0; i < 2000 && !message; i++) {
        push_until(harness, &info, before, before);
        message =
            gst_bus_timed_pop_filtered(bus, GST_MSECOND, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
    }
    fail_unless(message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING);
    gst_message_parse_warning(message, &error, NULL);
    fail_unless(strstr(error->message, bad[__i__]) != NULL, "%s", error->message);
    g_error_free(error);
    gst_message_unref(message);
    for (int i = 0; i < 5; i++)
        push_until(harness, &info, before, before);
    name = model_in_use(harness);
    fail_unless_equals_string(name, "unet32.safetensors");
    g_free(name);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR, NULL), 0);

    set_model(harness, "unet32_1to3");
    push_until(harness, &info, before, after);
    gst_buffer_unref(before);
    gst_buffer_unref(after);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* While a model is being exchanged frames keep coming: none takes 100 ms. */
GST_START_TEST(no_gap)
{
    GstVideoInfo info = test_info("I420", 64, 48);
    GstHarness *harness = test_harness_new("unet32", NULL);
    gint64 worst_us = 0;

    fake_engine_reset();
    fake_engine_set_mode(FAKE_INVERT);
    test_set_caps(harness, &info, NULL);
    for (int i = 0; i < 90; i++) {
        gint64 before_us = g_get_monotonic_time();

        if (i == 20)
            set_model(harness, LARGE_MODEL);
        if (i == 60)
            set_model(harness, "nowhere");
        gst_buffer_unref(test_run(harness, test_picture(&info, 0)));
        worst_us = MAX(worst_us, g_get_monotonic_time() - before_us);
        g_usleep(33000);
    }
    fail_unless(worst_us < 100000, "%d ms", (int)(worst_us / 1000));
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* The caps change while the model is being loaded. */
GST_START_TEST(swap_and_caps)
{
    GstHarness *harness = test_harness_new("unet32", NULL);
    GstBus *bus = test_add_bus(harness);
    GstVideoInfo info;
    GstBuffer *wanted, *other;

    fake_engine_reset();
    for (int i = 0; i < 60; i++) {
        info = test_info(i % 2 ? "I420" : "RGB", 30 + i, 20 + i);
        if (i % 3 == 0)
            set_model(harness, i % 2 ? "unet32" : "unet32_1to3");
        test_set_caps(harness, &info, NULL);
        for (int n = 0; n < i % 5; n++)
            gst_buffer_unref(test_run(harness, test_picture(&info, n)));
    }
    info = test_info("RGB", 32, 32);
    test_set_caps(harness, &info, NULL);
    set_model(harness, "unet32_1to3");
    wanted = reference("unet32_1to3", NULL, &info);
    other = reference("unet32", NULL, &info);
    push_until(harness, &info, other, wanted);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR, NULL), 0);
    gst_buffer_unref(wanted);
    gst_buffer_unref(other);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
}
GST_END_TEST;

typedef struct {
    const char *name, *value;
} Setting;

static const Setting settings[] = {
    {"norm-statistics", "running"}, {"dropout", "off"},  {"seed", "7"}, {"fit", "native"},
    {"fit", "letterbox"},           {"dropout", "fresh"}};

/* Other settings take over between two frames too, and the model is not read again. */
GST_START_TEST(other_settings)
{
    const Setting *setting = &settings[__i__];
    g_autofree char *text = g_strdup_printf("%s=%s", setting->name, setting->value);
    GstVideoInfo info = test_info("RGB", 64, 32);
    GstBuffer *before, *after;
    GstHarness *harness;

    fake_engine_reset();
    before = reference("resnet_batch_dropout.pth", NULL, &info);
    after = reference("resnet_batch_dropout.pth", text, &info);
    if (g_str_equal(setting->value, "fresh")) { /* frame 0 of it may be that of frozen */
        gst_buffer_unref(before);
        gst_buffer_unref(after);
        return;
    }
    fail_if(test_same(before, after, &info), "%s has no effect", text);
    harness = test_harness_new("resnet_batch_dropout.pth", NULL);
    test_set_caps(harness, &info, NULL);
    push_until(harness, &info, before, before);
    gst_util_set_object_arg(G_OBJECT(harness->element), setting->name, setting->value);
    push_until(harness, &info, before, after);
    gst_buffer_unref(before);
    gst_buffer_unref(after);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* Two properties of one g_object_set() are one change: no model without its domain. */
GST_START_TEST(model_with_domain)
{
    GstVideoInfo info = test_info("RGB", 32, 32);
    GstHarness *harness = test_harness_new("unet32", "fit=native");
    GstBus *bus = test_add_bus(harness);
    g_autofree char *path = test_model("mm_cyclegan.pth");
    GstBuffer *before, *after;

    fake_engine_reset();
    before = reference("unet32", "fit=native", &info);
    after = reference("mm_cyclegan.pth", "fit=native domain=zebra", &info);
    test_set_caps(harness, &info, NULL);
    push_until(harness, &info, before, before);
    g_object_set(harness->element, "model", path, "domain", "zebra", NULL);
    push_until(harness, &info, before, after);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR, NULL), 0);
    gst_buffer_unref(before);
    gst_buffer_unref(after);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* A setting that came along with a bad model is not lost with it. */
GST_START_TEST(setting_with_bad_model)
{
    GstVideoInfo info = test_info("RGB", 64, 32);
    GstHarness *harness = test_harness_new("resnet_batch_dropout.pth", NULL);
    GstBuffer *before, *after;

    fake_engine_reset();
    before = reference("resnet_batch_dropout.pth", NULL, &info);
    after = reference("resnet_batch_dropout.pth", "dropout=off", &info);
    test_set_caps(harness, &info, NULL);
    push_until(harness, &info, before, before);
    g_object_set(harness->element, "model", "/nonexistent", "dropout", 0, NULL);
    push_until(harness, &info, before, after);
    gst_buffer_unref(before);
    gst_buffer_unref(after);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* Stopping in the middle of a load, and before any caps. */
GST_START_TEST(stop_while_loading)
{
    for (int i = 0; i < 8; i++) {
        GstHarness *harness = test_harness_new("unet32", NULL);

        set_model(harness, LARGE_MODEL);
        g_usleep(i * 1000);
        gst_harness_teardown(harness);
    }
}
GST_END_TEST;

/* A hundred swaps as fast as they can be asked for: the last one wins. */
GST_START_TEST(many)
{
    GstVideoInfo info = test_info("RGB", 32, 32);
    GstHarness *harness = test_harness_new("unet32", NULL);
    GstBuffer *wanted, *output = NULL;

    fake_engine_reset();
    wanted = reference("unet32_1to3", NULL, &info);
    test_set_caps(harness, &info, NULL);
    for (int i = 0; i < 100; i++) {
        set_model(harness, i % 2 ? "resnet2" : "unet32");
        gst_buffer_unref(test_run(harness, test_picture(&info, i)));
    }
    set_model(harness, "unet32_1to3");
    for (int i = 0; i < 2000 && !(output && test_same(output, wanted, &info)); i++) {
        g_clear_pointer(&output, gst_buffer_unref);
        output = test_run(harness, test_picture(&info, 0));
        g_usleep(1000);
    }
    fail_unless(test_same(output, wanted, &info));
    gst_buffer_unref(wanted);
    gst_buffer_unref(output);
    gst_harness_teardown(harness);
}
GST_END_TEST;

static Suite *model_swap_suite(void)
{
    Suite *suite = suite_create("model-swap");
    TCase *tcase = tcase_create("general");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, swap, 0, 2);
    tcase_add_loop_test(tcase, bad_model, 0, 4);
    tcase_add_test(tcase, no_gap);
    tcase_add_test(tcase, swap_and_caps);
    tcase_add_loop_test(tcase, other_settings, 0, G_N_ELEMENTS(settings));
    tcase_add_test(tcase, model_with_domain);
    tcase_add_test(tcase, setting_with_bad_model);
    tcase_add_test(tcase, stop_while_loading);
    tcase_add_test(tcase, many);
    return suite;
}

int main(int argc, char **argv)
{
    gst_check_init(&argc, &argv);
    return test_main(model_swap_suite());
}
