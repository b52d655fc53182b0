/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* In which precision frames are computed: as it is asked for, on whatever device they go on. */
#include <glib/gstdio.h>
#include <string.h>

#include "common.h"

#define N 10 /* convolutions of a unet_32 */

static char *folder, *file; /* a unet_32 with a mix of precisions */

static void make_file(void)
{
    g_autofree char *plain = test_model("unet32");
    g_autoptr(PixCheckpoint) checkpoint = pix_checkpoint_open(plain, NULL, NULL);
    PixPrecision mix[N];

    for (int i = 0; i < N; i++)
        mix[i] = i % 2 ? PIX_PRECISION_INT8 : PIX_PRECISION_BF16;
    folder = g_dir_make_tmp("pix2pix-XXXXXX", NULL);
    file = g_build_filename(folder, "mix.safetensors", NULL);
    pix_checkpoint_set_mix(checkpoint, mix, 41.5, 8);
    fail_unless(pix_checkpoint_save(checkpoint, file, PIX_PRECISION_FP32, NULL));
    fake_engine_reset();
}

static void remove_file(void)
{
    g_remove(file);
    g_rmdir(folder);
    g_clear_pointer(&file, g_free);
    g_clear_pointer(&folder, g_free);
}

static GstHarness *harness_new(const char *device, const char *precision)
{
    g_autofree char *settings =
        g_strdup_printf("model=%s device=%s precision=%s", file, device, precision);

    return test_harness_new("unet32", settings);
}

static void expect(GstHarness *harness, const char *precision)
{
    g_autofree char *found = test_stats_string(harness->element, "precision");

    fail_unless_equals_string(found, precision);
}

static void set_precision(GstHarness *harness, const char *precision)
{
    gst_util_set_object_arg(G_OBJECT(harness->element), "precision", precision);
}

/* Pushes frames until the element says that it computes them so. */
static void push_until(GstHarness *harness, const GstVideoInfo *info, const char *precision)
{
    char *found = NULL;

    while (g_strcmp0(found, precision) != 0) { /* or the test's time is up */
        g_free(found);
        gst_buffer_unref(test_run(harness, test_picture(info, 0)));
        found = test_stats_string(harness->element, "precision");
    }
    g_free(found);
}

/* ---- on the CPU ---- */

static const char *const precisions[] = {"fp32", "int8", "bf16", "auto"};

/* What a new element makes of one picture. */
static GstBuffer *reference(const GstVideoInfo *info, const char *precision)
{
    GstHarness *harness = harness_new("cpu", precision);
    GstBuffer *frame;

    test_set_caps(harness, info, NULL);
    frame = test_run(harness, test_picture(info, 0));
    expect(harness, precision);
    gst_harness_teardown(harness);
    return frame;
}

/* Whether `auto` is another thing than fp32 on this processor, which may gain by no layer's mix. */
static gboolean auto_reduces(void)
{
    g_autoptr(PixDevice) device = pix_device_open("cpu", 0, NULL);
    g_autoptr(PixModel) model = pix_model_load(device, file, NULL, PIX_PRECISION_AUTO, NULL);
    PixSessionOptions options;
    gboolean reduces = FALSE;

    pix_session_options_init(&options, model);
    g_autoptr(PixSession) session = pix_session_new(model, &options, NULL);
    const PixTimes *times = pix_session_get_times(session);
    for (guint i = 0; i < times->n_layers; i++)
        reduces |= times->layers[i].precision > PIX_PRECISION_FP32;
    return reduces;
}

/* Set from one to the next while frames flow, each gives what it gives from the start, and no other;
 * what takes over then is to do the same. */
GST_START_TEST(changes)
{
    GstVideoInfo info = test_info("RGB", 32, 32);
    GstHarness *harness = harness_new("cpu", "auto");
    GstBuffer *wanted[G_N_ELEMENTS(precisions)];
    gsize n_different = G_N_ELEMENTS(precisions) - !auto_reduces();

    fake_engine_set_automatic(TRUE);
    test_set_caps(harness, &info, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(precisions); i++) {
        GstBuffer *frame;

        wanted[i] = reference(&info, precisions[i]);
        for (gsize other = 0; other < i && i < n_different; other++)
            fail_if(test_same(wanted[i], wanted[other], &info), "%s is %s", precisions[i],
                    precisions[other]);
        set_precision(harness, precisions[i]);
        push_until(harness, &info, precisions[i]);
        for (int lost = 0; lost < 2; lost++) {
            if (lost)
                fake_engine_fail_next(FAKE_FRAME);
            frame = test_run(harness, test_picture(&info, 0));
            fail_unless(test_same(frame, wanted[i], &info), "%s is not as from the start",
                        precisions[i]);
            gst_buffer_unref(frame);
        }
    }
    for (gsize i = 0; i < G_N_ELEMENTS(precisions); i++)
        gst_buffer_unref(wanted[i]);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* A model comes too late for new caps, and when they have theirs something else has been set: it is not
 * taken for that. */
GST_START_TEST(late)
{
    GstVideoInfo info = test_info("RGB", 32, 32), other = test_info("RGB", 48, 48);
    GstHarness *harness = harness_new("cpu", "fp32");

    fake_engine_set_automatic(TRUE);
    test_set_caps(harness, &info, NULL);
    gst_buffer_unref(test_run(harness, test_picture(&info, 0)));
    fake_engine_hold(FAKE_LOAD);
    set_precision(harness, "int8");
    fake_engine_wait_held();
    g_object_freeze_notify(G_OBJECT(harness->element)); /* set, but not yet asked for */
    set_precision(harness, "bf16");
    test_set_caps(harness, &other, NULL);
    fake_engine_release();
    push_until(harness, &other, "int8");
    fake_engine_fail_next(FAKE_FRAME);
    gst_buffer_unref(test_run(harness, test_picture(&other, 0)));
    expect(harness, "int8");
    g_object_thaw_notify(G_OBJECT(harness->element));
    push_until(harness, &other, "bf16");
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* An error at the start; a warning while frames flow, which go on as before. */
GST_START_TEST(not_on_the_cpu)
{
    GstVideoInfo info = test_info("RGB", 32, 32);
    GstHarness *harness = harness_new("cpu", "int8");
    GstBus *bus = test_add_bus(harness);

    test_set_caps(harness, &info, NULL);
    set_precision(harness, "fp16");
    while (test_count(bus, GST_MESSAGE_WARNING, NULL) == 0)
        gst_buffer_unref(test_run(harness, test_picture(&info, 0)));
    expect(harness, "int8");
    gst_element_set_state(harness->element, GST_STATE_READY);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_ERROR, NULL), 0);
    fail_unless_equals_int(gst_element_set_state(harness->element, GST_STATE_PLAYING),
                           GST_STATE_CHANGE_FAILURE);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_ERROR, NULL), 1);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* The CPU takes over from a device that fails, whatever fails, in what was asked for. */
static void take_over(FakeStep step, const char *precision)
{
    GstVideoInfo info = test_info("RGB", 32, 32);
    GstBuffer *wanted = reference(&info, precision), *frame;
    GstHarness *harness = harness_new("cpu", precision);
    GstBus *bus = test_add_bus(harness);

    gst_element_set_state(harness->element, GST_STATE_READY);
    fake_engine_set_automatic(TRUE);
    fake_engine_fail_next(step);
    gst_element_set_state(harness->element, GST_STATE_PLAYING);
    test_set_caps(harness, &info, NULL);
    frame = test_run(harness, test_picture(&info, 0));
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_WARNING, NULL), 1);
    expect(harness, precision);
    fail_unless(test_same(frame, wanted, &info), "the first frame is not in %s", precision);
    gst_buffer_unref(frame);
    gst_buffer_unref(wanted);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
    fake_engine_reset();
}

GST_START_TEST(takes_over)
{
    for (gsize i = 0; i < G_N_ELEMENTS(precisions); i++)
        take_over(__i__, precisions[i]);
}
GST_END_TEST;

/* ---- from a GPU, be it a processor that plays one ---- */

/* It changes from one to another while it plays. */
GST_START_TEST(changes_on_gpu)
{
    GstVideoInfo info = test_info("RGB", 32, 32);
    GstHarness *harness = harness_new("vulkan", "fp16");

    test_set_caps(harness, &info, NULL);
    push_until(harness, &info, "fp16");
    set_precision(harness, "fp32");
    push_until(harness, &info, "fp32");
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* What frames were begun with, what is set then, and what comes of the first. */
static const struct {
    const char *asked, *set, *on_gpu, *on_cpu;
} moves[] = {
    {"auto", "fp32", "fp32", "auto"},
    {"fp32", "auto", "fp32", "fp32"},
    {"fp16", "fp32", "fp16", "auto"}, /* frames shall go on */
};

/* The loader has moved to the CPU, and could do nothing there: the stream follows when it must. */
GST_START_TEST(follows)
{
    GstVideoInfo info = test_info("RGB", 32, 32);
    GstHarness *harness = harness_new("vulkan", moves[__i__].asked);
    GstBus *bus = test_add_bus(harness);
    guint warnings = 0;

    test_set_caps(harness, &info, NULL);
    gst_buffer_unref(test_run(harness, test_picture(&info, 0)));
    fake_engine_set_automatic(TRUE);
    fake_engine_fail_next(FAKE_LOAD);
    fake_engine_fail_next(FAKE_SESSION);
    set_precision(harness, moves[__i__].set);
    while (warnings < 2) {
        gst_buffer_unref(test_run(harness, test_picture(&info, 0)));
        warnings += test_count(bus, GST_MESSAGE_WARNING, NULL);
    }
    expect(harness, moves[__i__].on_gpu);
    fake_engine_fail_next(FAKE_FRAME);
    gst_buffer_unref(test_run(harness, test_picture(&info, 0)));
    expect(harness, moves[__i__].on_cpu);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR, NULL), 0);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
    fake_engine_reset();
}
GST_END_TEST;

static Suite *element_precision_suite(void)
{
    Suite *suite = suite_create("element-precision");
    TCase *tcase = tcase_create("general");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, make_file, remove_file);
    tcase_add_test(tcase, changes);
    tcase_add_test(tcase, late);
    tcase_add_test(tcase, not_on_the_cpu);
    tcase_add_loop_test(tcase, takes_over, 0, FAKE_RESULT + 1);
    if (test_has_vulkan()) { /* not a list of what was skipped */
        tcase_add_test(tcase, changes_on_gpu);
        tcase_add_loop_test(tcase, follows, 0, G_N_ELEMENTS(moves));
    }
    return suite;
}

int main(int argc, char **argv)
{
    gst_check_init(&argc, &argv);
    return test_main(element_precision_suite());
}
