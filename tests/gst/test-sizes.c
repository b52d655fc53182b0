/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Frames of every size, what the network sees of them, and that every byte of the output is
 * written. */
#include "common.h"

#include <string.h>

static const int sizes[][2] = {{1, 1},   {1, 2},   {2, 1},   {3, 3},   {5, 2},     {7, 1},
                               {17, 13}, {31, 33}, {33, 31}, {40, 30}, {641, 479}, {160, 120}};
#define N_SIZES G_N_ELEMENTS(sizes)

/* A packed pixel's unused byte counts, since sinks copy it. */
static void check_unused_bytes(GstBuffer *a, GstBuffer *b, const GstVideoInfo *info)
{
    GstMapInfo maps[2];

    if (GST_VIDEO_INFO_N_PLANES(info) != 1 || GST_VIDEO_INFO_COMP_PSTRIDE(info, 0) != 4)
        return;
    gst_buffer_map(a, &maps[0], GST_MAP_READ);
    gst_buffer_map(b, &maps[1], GST_MAP_READ);
    for (int y = 0; y < GST_VIDEO_INFO_HEIGHT(info); y++) {
        gsize row = y * GST_VIDEO_INFO_PLANE_STRIDE(info, 0);

        fail_unless(
            memcmp(maps[0].data + row, maps[1].data + row, 4 * GST_VIDEO_INFO_WIDTH(info)) == 0);
    }
    gst_buffer_unmap(b, &maps[1]);
    gst_buffer_unmap(a, &maps[0]);
}

/* One translation, in output memory that was full of @byte. */
static GstBuffer *run_in(guint8 byte, const char *model, const char *settings,
                         const GstVideoInfo *in, const GstVideoInfo *out)
{
    GstHarness *harness = test_harness_new(model, settings);
    GstAllocator *allocator = test_allocator_new(byte);
    GstAllocationParams params;
    GstBuffer *output;

    gst_allocation_params_init(&params);
    gst_harness_set_propose_allocator(harness, allocator, &params);
    test_set_caps(harness, in, out);
    output = test_run(harness, test_picture(in, 0));
    fail_unless(gst_memory_is_type(gst_buffer_peek_memory(output, 0), "TestMemory"),
                "not the memory that downstream offered");
    gst_harness_teardown(harness);
    return output;
}

static void check_written(const char *model, const char *settings, const GstVideoInfo *in,
                          const GstVideoInfo *out)
{
    GstBuffer *a = run_in(0xa5, model, settings, in, out);
    GstBuffer *b = run_in(0x5a, model, settings, in, out);

    fail_unless(test_same(a, b, out), "%s %dx%d, %s", GST_VIDEO_INFO_NAME(out),
                GST_VIDEO_INFO_WIDTH(out), GST_VIDEO_INFO_HEIGHT(out), settings);
    check_unused_bytes(a, b, out);
    gst_buffer_unref(a);
    gst_buffer_unref(b);
}

/* Every format at every size: all written, whatever was there before. */
GST_START_TEST(written)
{
    static const char *const settings[] = {"fit=native", "fit=stretch", "fit=letterbox",
                                           "fit=native strength=0.5"};
    g_auto(GStrv) formats = test_formats();
    const char *format = formats[__i__];

    fake_engine_reset();
    fake_engine_set_mode(FAKE_INVERT);
    for (gsize i = 0; i < N_SIZES; i++) {
        GstVideoInfo info = test_info(format, sizes[i][0], sizes[i][1]);

        if (sizes[i][0] * sizes[i][1] < 2000)
            check_written("resnet2", settings[i % 4], &info, &info);
    }
}
GST_END_TEST;

/* Input and output of other sizes, in and from every format. */
GST_START_TEST(scaled)
{
    g_auto(GStrv) formats = test_formats();
    GstVideoInfo in = test_info(formats[__i__], 31, 33), out = test_info(formats[__i__], 57, 21);

    fake_engine_reset();
    check_written("resnet2", "fit=native", &in, &out);
    /* From odd widths GstVideoConverter 1.22 scales YUY2 to YUY2 with uninitialised chroma. */
    in = test_info(formats[__i__], 30, 33);
    out = test_info(formats[__i__], 58, 21);
    check_written("unet32", "fit=stretch strength=0.5", &in, &out);
}
GST_END_TEST;

/* At each size and fit, the colours are those of the picture, inverted. */
GST_START_TEST(colours)
{
    static const char *const formats[] = {"RGB", "I420", "NV12", "YUY2", "UYVY", "Y42B", "BGRA"};
    static const char *const fits[] = {"fit=stretch", "fit=letterbox", "fit=native"};
    int width = sizes[__i__][0], height = sizes[__i__][1];

    fake_engine_reset();
    fake_engine_set_mode(FAKE_INVERT);
    for (gsize i = 0; i < G_N_ELEMENTS(formats) * G_N_ELEMENTS(fits); i++) {
        const char *fit = fits[i % 3], *format = formats[i / 3];
        GstHarness *harness = test_harness_new("resnet2", fit);
        GstVideoInfo info = test_info(format, width, height), rgb = test_info("RGB", width, height);
        GstBuffer *input = test_picture(&info, 0), *source = test_convert(input, &info, &rgb);
        GstBuffer *inverted = test_inverted(source, &rgb), *output, *got, *wanted, *shown;
        double mean;

        test_set_caps(harness, &info, NULL);
        output = test_run(harness, input);
        got = test_convert(output, &info, &rgb);
        shown = test_convert(inverted, &rgb, &info); /* 8-bit matrices cost some levels each way */
        wanted = test_convert(shown, &info, &rgb);
        mean = test_difference(got, wanted, &rgb, NULL);
        fail_unless(mean <= (width * height < 200 ? 11 : 3), "%s %dx%d %s: mean %.2f", format,
                    width, height, fit, mean);
        gst_buffer_unref(source);
        gst_buffer_unref(inverted);
        gst_buffer_unref(shown);
        gst_buffer_unref(wanted);
        gst_buffer_unref(output);
        gst_buffer_unref(got);
        gst_harness_teardown(harness);
    }
}
GST_END_TEST;

/* One value stays one value, whatever the network's size makes of the frame's. */
GST_START_TEST(brightness)
{
    static const int cases[][2] = {{640, 480}, {1280, 720}, {1920, 1080}, {960, 540}, {160, 120}};
    GstVideoInfo info = test_info("RGB", cases[__i__][0], cases[__i__][1]);
    GstHarness *harness = test_harness_new("unet32", NULL);
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, GST_VIDEO_INFO_SIZE(&info), NULL);
    GstMapInfo map;
    int off = 0;

    fake_engine_reset();
    fake_engine_set_mode(FAKE_INVERT);
    gst_buffer_memset(buffer, 0, 200, GST_VIDEO_INFO_SIZE(&info));
    test_set_caps(harness, &info, NULL);
    buffer = test_run(harness, buffer);
    gst_buffer_map(buffer, &map, GST_MAP_READ);
    for (gsize i = 0; i < map.size; i++)
        off = MAX(off, ABS(map.data[i] - 55));
    fail_unless(off <= 1, "%d off", off);
    gst_buffer_unmap(buffer, &map);
    gst_buffer_unref(buffer);
    gst_harness_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(large)
{
    static const char *const formats[] = {"RGB", "NV12"};
    GstHarness *harness = test_harness_new("resnet2", NULL);
    GstVideoInfo info = test_info(formats[__i__], 4096, 2304);
    GstBuffer *output;

    fake_engine_reset();
    test_set_caps(harness, &info, NULL);
    output = test_run(harness, test_picture(&info, 0));
    fail_unless_equals_int(gst_buffer_get_size(output), GST_VIDEO_INFO_SIZE(&info));
    gst_buffer_unref(output);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* What the template does not admit is refused before any buffer. */
GST_START_TEST(too_large)
{
    static const char *const caps[] = {
        "video/x-raw,format=RGB,width=16385,height=16,framerate=30/1",
        "video/x-raw,format=RGB,width=16,height=16385,framerate=30/1",
        "video/x-raw,format=RGB,width=0,height=16,framerate=30/1",
        "video/x-raw,format=RGBA,width=2147483647,height=2147483647,framerate=30/1"};
    GstHarness *harness = test_harness_new("resnet2", NULL);
    GstCaps *wrong = gst_caps_from_string(caps[__i__]);
    GstPad *pad = gst_element_get_static_pad(harness->element, "sink");

    fail_if(gst_pad_query_accept_caps(pad, wrong));
    gst_harness_set_caps(harness, wrong, NULL);
    fail_unless_equals_int(gst_harness_push(harness, gst_buffer_new_allocate(NULL, 64, NULL)),
                           GST_FLOW_NOT_NEGOTIATED);
    fail_unless(gst_harness_try_pull(harness) == NULL);
    gst_object_unref(pad);
    gst_harness_teardown(harness);
}
GST_END_TEST;

typedef struct {
    const char *settings;
    int width, height, par_n, par_d;
    int content_width, content_height; /* the model's own size is 32x32 */
} Fit;

static const Fit fit_cases[] = {
    {"fit=stretch", 64, 16, 1, 1, 32, 32},   {"fit=stretch", 1, 1, 1, 1, 32, 32},
    {"fit=letterbox", 64, 32, 1, 1, 32, 16}, {"fit=letterbox", 32, 64, 1, 1, 16, 32},
    {"fit=letterbox", 64, 64, 1, 1, 32, 32}, {"fit=letterbox", 720, 576, 16, 15, 32, 24},
    {"fit=letterbox", 32, 32, 2, 1, 32, 16}, {"fit=letterbox", 32, 32, 1, 2, 16, 32},
    {"fit=letterbox", 1000, 1, 1, 1, 32, 1}, {"fit=letterbox", 1, 1000, 1, 1, 1, 32},
    {"fit=native", 33, 21, 1, 1, 33, 21},    {"fit=native", 1, 1, 1, 1, 1, 1},
};

/* How much of the network's input the frame takes: what the engine gets, unless a GPU scales. */
GST_START_TEST(fit)
{
    const Fit *fit = &fit_cases[__i__];
    GstHarness *harness = test_harness_new("unet32", fit->settings);
    GstVideoInfo info = test_info("I420", fit->width, fit->height);
    GstBuffer *output;
    int width, height;

    fake_engine_reset();
    info.par_n = fit->par_n;
    info.par_d = fit->par_d;
    test_set_caps(harness, &info, NULL);
    output = test_run(harness, test_picture(&info, 0));
    width = test_on_gpu() ? fit->width : fit->content_width;
    height = test_on_gpu() ? fit->height : fit->content_height;
    fail_unless_equals_int(fake_engine_get_in().width, width);
    fail_unless_equals_int(fake_engine_get_in().height, height);
    fail_unless_equals_int(fake_engine_get_out().width, width);
    fail_unless_equals_int(fake_engine_get_out().height, height);
    gst_buffer_unref(output);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* A native network is as large as it must be for the frame. */
GST_START_TEST(native_network)
{
    static const int cases[][4] = {
        {1, 1, 32, 32}, {32, 32, 32, 32}, {33, 32, 64, 32}, {100, 65, 128, 96}};
    const int *sides = cases[__i__];
    GstHarness *harness = test_harness_new("unet32", "fit=native");
    GstVideoInfo info = test_info("RGB", sides[0], sides[1]);
    GstStructure *stats;
    int width, height;

    fake_engine_reset();
    test_set_caps(harness, &info, NULL);
    gst_buffer_unref(test_run(harness, test_picture(&info, 0)));
    g_object_get(harness->element, "stats", &stats, NULL);
    fail_unless(gst_structure_get(stats, "network-width", G_TYPE_INT, &width, "network-height",
                                  G_TYPE_INT, &height, NULL));
    fail_unless_equals_int(width, sides[2]);
    fail_unless_equals_int(height, sides[3]);
    gst_structure_free(stats);
    gst_harness_teardown(harness);
}
GST_END_TEST;

static Suite *sizes_suite(void)
{
    Suite *suite = suite_create("sizes");
    TCase *tcase = tcase_create("general");
    char **formats = test_formats();
    int n = g_strv_length(formats);

    g_strfreev(formats);
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, written, 0, n);
    tcase_add_loop_test(tcase, scaled, 0, n);
    tcase_add_loop_test(tcase, colours, 0, N_SIZES);
    tcase_add_loop_test(tcase, brightness, 0, 5);
    tcase_add_loop_test(tcase, large, 0, 2);
    tcase_add_loop_test(tcase, too_large, 0, 4);
    tcase_add_loop_test(tcase, fit, 0, G_N_ELEMENTS(fit_cases));
    tcase_add_loop_test(tcase, native_network, 0, 4);
    return suite;
}

int main(int argc, char **argv)
{
    gst_check_init(&argc, &argv);
    return test_main(sizes_suite());
}
