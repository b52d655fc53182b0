/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every format of the pad template, by what comes out of it. */
#include "common.h"

#define SIDE 64

/* What chroma at half the resolution and video range cost, in 8-bit steps. */
#define MEAN_LOSS 2.0
#define LARGEST_LOSS 14
/* A GPU converts by itself and more exactly (test-conversion.c), and networks make more of it. */
#define GPU_LOSS 5

/* The input as RGB, inverted, as @to shows it: what the element must give in FAKE_INVERT. */
static GstBuffer *expected(GstBuffer *input, const GstVideoInfo *from, const GstVideoInfo *to)
{
    GstVideoInfo rgb = test_info("RGB", SIDE, SIDE);
    GstBuffer *source, *inverted, *result;

    source = test_convert(input, from, &rgb);
    inverted = test_inverted(source, &rgb);
    result = test_convert(inverted, &rgb, to);
    gst_buffer_unref(source);
    gst_buffer_unref(inverted);
    return result;
}

/* Compares the colours, as RGB (grey formats have all three alike). */
static void check_colours(GstBuffer *output, GstBuffer *wanted, const GstVideoInfo *info,
                          const char *what, int loss)
{
    GstVideoInfo rgb = test_info("RGB", GST_VIDEO_INFO_WIDTH(info), GST_VIDEO_INFO_HEIGHT(info));
    GstBuffer *a = test_convert(output, info, &rgb), *b = test_convert(wanted, info, &rgb);
    int largest;
    double mean = test_difference(a, b, &rgb, &largest);

    fail_unless(mean <= MEAN_LOSS * loss && largest <= LARGEST_LOSS * loss,
                "%s: mean %.2f, largest %d", what, mean, largest);
    gst_buffer_unref(a);
    gst_buffer_unref(b);
}

static void check_pair(const char *from, const char *to)
{
    GstHarness *harness = test_harness_new("resnet2", "fit=native");
    GstVideoInfo in = test_info(from, SIDE, SIDE), out = test_info(to, SIDE, SIDE), got;
    g_autofree char *what = g_strdup_printf("%s to %s", from, to);
    GstBuffer *input = test_picture(&in, 3), *output, *wanted;

    fake_engine_reset();
    fake_engine_set_mode(FAKE_INVERT);
    test_set_caps(harness, &in, &out);
    wanted = expected(input, &in, &out);
    output = test_run(harness, input);
    got = test_out_info(harness);
    fail_unless_equals_string(GST_VIDEO_INFO_NAME(&got), to);
    fail_unless_equals_int(fake_engine_get_calls(), 1);
    check_colours(output, wanted, &out, what, 1);
    gst_buffer_unref(output);
    gst_buffer_unref(wanted);
    gst_harness_teardown(harness);
}

GST_START_TEST(same_format)
{
    g_auto(GStrv) formats = test_formats();

    check_pair(formats[__i__], formats[__i__]);
}
GST_END_TEST;

GST_START_TEST(to_rgb)
{
    g_auto(GStrv) formats = test_formats();

    check_pair(formats[__i__], "RGB");
}
GST_END_TEST;

GST_START_TEST(from_rgb)
{
    g_auto(GStrv) formats = test_formats();

    check_pair("RGB", formats[__i__]);
}
GST_END_TEST;

/* The network itself sees the same picture, whatever format it comes in. */
GST_START_TEST(network)
{
    g_auto(GStrv) formats = test_formats();
    GstVideoInfo rgb = test_info("RGB", SIDE, SIDE), info = test_info(formats[__i__], SIDE, SIDE);
    GstBuffer *input = test_picture(&info, 0), *source = test_convert(input, &info, &rgb);
    GstBuffer *from_rgb, *from_format, *wanted;
    GstHarness *harness = test_harness_new("resnet2", "fit=native");

    fake_engine_reset();
    test_set_caps(harness, &rgb, NULL);
    from_rgb = test_run(harness, source);
    gst_harness_teardown(harness);

    harness = test_harness_new("resnet2", "fit=native");
    test_set_caps(harness, &info, NULL);
    from_format = test_run(harness, input);
    gst_harness_teardown(harness);

    wanted = test_convert(from_rgb, &rgb, &info);
    check_colours(from_format, wanted, &info, formats[__i__], test_on_gpu() ? GPU_LOSS : 1);
    gst_buffer_unref(from_rgb);
    gst_buffer_unref(from_format);
    gst_buffer_unref(wanted);
}
GST_END_TEST;

/* Interleaved RGB and grey need no copy: the engine gets the buffers' own bytes. */
GST_START_TEST(no_copy)
{
    static const char *const names[] = {"RGB",  "BGR",  "RGBx", "BGRx", "xRGB",
                                        "xBGR", "RGBA", "BGRA", "ARGB", "ABGR"};
    GstHarness *harness = test_harness_new("resnet2", "fit=native");
    GstVideoInfo info = test_info(names[__i__], SIDE, SIDE);
    GstBuffer *input = test_picture(&info, 0), *output;
    PixVideo in, out;
    GstMapInfo map;

    fake_engine_reset();
    test_set_caps(harness, &info, NULL);
    gst_buffer_ref(input);
    output = test_run(harness, input);
    in = fake_engine_get_in();
    out = fake_engine_get_out();
    gst_buffer_map(input, &map, GST_MAP_READ);
    fail_unless(in.planes[0].data == map.data);
    gst_buffer_unmap(input, &map);
    gst_buffer_map(output, &map, GST_MAP_READ);
    fail_unless(out.planes[0].data == map.data);
    gst_buffer_unmap(output, &map);
    for (int c = 0; c < 3; c++) {
        fail_unless_equals_int(in.components[c].offset, GST_VIDEO_INFO_COMP_POFFSET(&info, c));
        fail_unless_equals_int(out.components[c].offset, GST_VIDEO_INFO_COMP_POFFSET(&info, c));
    }
    gst_buffer_unref(input);
    gst_buffer_unref(output);
    gst_harness_teardown(harness);
}
GST_END_TEST;

static guint8 alpha_at(GstBuffer *buffer, const GstVideoInfo *info, int x, int y)
{
    GstVideoFrame frame;
    guint8 value;

    fail_unless(gst_video_frame_map(&frame, info, buffer, GST_MAP_READ));
    value =
        *((guint8 *)GST_VIDEO_FRAME_COMP_DATA(&frame, 3) +
          y * GST_VIDEO_FRAME_COMP_STRIDE(&frame, 3) + x * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, 3));
    gst_video_frame_unmap(&frame);
    return value;
}

/* A chess board of alpha in an otherwise grey frame. */
static GstBuffer *chess_board(const GstVideoInfo *info, int square)
{
    GstBuffer *buffer = test_picture(info, 0);
    GstVideoFrame frame;

    fail_unless(gst_video_frame_map(&frame, info, buffer, GST_MAP_WRITE));
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++)
            *((guint8 *)GST_VIDEO_FRAME_COMP_DATA(&frame, 3) +
              y * GST_VIDEO_FRAME_COMP_STRIDE(&frame, 3) +
              x * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, 3)) =
                (x / square + y / square) % 2 ? 200 : 7;
    }
    gst_video_frame_unmap(&frame);
    return buffer;
}

static const char *const alpha_formats[] = {"RGBA", "BGRA", "ARGB", "ABGR",
                                            "AYUV", "VUYA", "A420", "GBRA"};

/* Alpha in is alpha out, in this format and in the next one, at every fit and strength. */
GST_START_TEST(alpha_passes)
{
    const char *from = alpha_formats[__i__ / 6];
    const char *to = alpha_formats[(__i__ / 6 + (__i__ % 2)) % G_N_ELEMENTS(alpha_formats)];
    g_autofree char *settings =
        g_strdup_printf("fit=%d strength=%s", __i__ % 3, __i__ % 6 < 3 ? "1" : "0.5");
    GstHarness *harness = test_harness_new("resnet2", settings);
    GstVideoInfo in = test_info(from, SIDE, SIDE), out = test_info(to, SIDE, SIDE);
    GstBuffer *output;

    fake_engine_reset();
    test_set_caps(harness, &in, &out);
    output = test_run(harness, chess_board(&in, 1));
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++)
            fail_unless_equals_int(alpha_at(output, &out, x, y), (x + y) % 2 ? 200 : 7);
    }
    gst_buffer_unref(output);
    gst_harness_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(alpha_scales)
{
    GstHarness *harness = test_harness_new("resnet2", NULL);
    GstVideoInfo in = test_info(alpha_formats[__i__], SIDE, SIDE);
    GstVideoInfo out = test_info(alpha_formats[__i__], SIDE / 2, SIDE / 2);
    GstBuffer *output;

    fake_engine_reset();
    test_set_caps(harness, &in, &out);
    output = test_run(harness, chess_board(&in, 16));
    for (int y = 0; y < SIDE / 2; y++) {
        for (int x = 0; x < SIDE / 2; x++) {
            int wanted = (x / 8 + y / 8) % 2 ? 200 : 7, got = alpha_at(output, &out, x, y);

            if (x % 8 > 1 && x % 8 < 6 && y % 8 > 1 && y % 8 < 6)
                fail_unless(ABS(got - wanted) <= 1, "%d at %d,%d", got, x, y);
        }
    }
    gst_buffer_unref(output);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* Where there was no alpha, the result is opaque: with a conversion and without. */
GST_START_TEST(alpha_appears)
{
    static const char *const sources[] = {"RGB", "I420", "BGRx", "GRAY8"};
    const char *to = alpha_formats[__i__ % 8];
    GstHarness *harness = test_harness_new("resnet2", "fit=native");
    GstVideoInfo in = test_info(sources[__i__ / 8], SIDE, SIDE), out = test_info(to, SIDE, SIDE);
    GstBuffer *output;

    fake_engine_reset();
    test_set_caps(harness, &in, &out);
    output = test_run(harness, test_picture(&in, 0));
    for (int i = 0; i < SIDE; i++)
        fail_unless_equals_int(alpha_at(output, &out, i, SIDE - 1 - i), 255);
    gst_buffer_unref(output);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* A model from grey to colour: grey frames directly, others by their luma. */
GST_START_TEST(grey_model)
{
    static const char *const pairs[][2] = {
        {"GRAY8", "GRAY8"}, {"GRAY8", "RGB"}, {"RGB", "RGB"}, {"I420", "I420"}, {"BGRA", "GRAY8"}};
    const char *const *pair = pairs[__i__];
    GstHarness *harness = test_harness_new("unet32_1to3", NULL);
    GstVideoInfo in = test_info(pair[0], 32, 32), out = test_info(pair[1], 32, 32);
    GstVideoInfo grey = test_info("GRAY8", 32, 32), rgb = test_info("RGB", 32, 32);
    GstBuffer *input = test_picture(&in, 0), *luma, *colours, *wanted, *inverted, *output;

    fake_engine_reset();
    fake_engine_set_mode(FAKE_INVERT);
    test_set_caps(harness, &in, &out);
    luma = test_convert(input, &in, &grey);
    colours = test_convert(luma, &grey, &rgb);
    inverted = test_inverted(colours, &rgb);
    wanted = test_convert(inverted, &rgb, &out);
    output = test_run(harness, input);
    fail_unless_equals_int(fake_engine_get_in().n_components, 1);
    fail_unless_equals_int(fake_engine_get_out().n_components, 3);
    check_colours(output, wanted, &out, pair[1], 1);
    gst_buffer_unref(luma);
    gst_buffer_unref(colours);
    gst_buffer_unref(inverted);
    gst_buffer_unref(wanted);
    gst_buffer_unref(output);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* Half way between source and result, in every format, byte by byte. */
GST_START_TEST(strength)
{
    g_auto(GStrv) formats = test_formats();
    const char *format = formats[__i__];
    GstVideoInfo info = test_info(format, 33, 17);
    GstBuffer *outputs[2], *input = test_picture(&info, 0);
    GstVideoFrame frames[3];

    fake_engine_reset();
    for (int i = 0; i < 2; i++) {
        GstHarness *harness =
            test_harness_new("resnet2", i ? "fit=native strength=0.25" : "fit=native");

        test_set_caps(harness, &info, NULL);
        outputs[i] = test_run(harness, gst_buffer_ref(input));
        gst_harness_teardown(harness);
    }
    gst_video_frame_map(&frames[0], &info, input, GST_MAP_READ);
    gst_video_frame_map(&frames[1], &info, outputs[0], GST_MAP_READ);
    gst_video_frame_map(&frames[2], &info, outputs[1], GST_MAP_READ);
    for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS(&info); c++) {
        for (int y = 0; y < GST_VIDEO_INFO_COMP_HEIGHT(&info, c); y++) {
            for (int x = 0; x < GST_VIDEO_INFO_COMP_WIDTH(&info, c); x++) {
                guint8 values[3];

                for (int i = 0; i < 3; i++)
                    values[i] = *((guint8 *)GST_VIDEO_FRAME_COMP_DATA(&frames[i], c) +
                                  y * GST_VIDEO_FRAME_COMP_STRIDE(&frames[i], c) +
                                  x * GST_VIDEO_FRAME_COMP_PSTRIDE(&frames[i], c));
                fail_unless(ABS(values[0] + 0.25 * (values[1] - values[0]) - values[2]) <= 0.5,
                            "%s: %d and %d give %d", format, values[0], values[1], values[2]);
            }
        }
    }
    for (int i = 0; i < 3; i++)
        gst_video_frame_unmap(&frames[i]);
    gst_buffer_unref(outputs[0]);
    gst_buffer_unref(outputs[1]);
    gst_buffer_unref(input);
}
GST_END_TEST;

GST_START_TEST(camera_formats_are_there)
{
    static const char *const needed[] = {"RGB",  "BGR",  "RGBx", "BGRx",  "xRGB", "xBGR", "RGBA",
                                         "BGRA", "ARGB", "ABGR", "GRAY8", "I420", "YV12", "NV12",
                                         "NV21", "YUY2", "UYVY", "YVYU",  "Y42B", "Y444"};
    g_auto(GStrv) formats = test_formats();

    for (gsize i = 0; i < G_N_ELEMENTS(needed); i++)
        fail_unless(g_strv_contains((const char *const *)formats, needed[i]), "%s", needed[i]);
}
GST_END_TEST;

static Suite *formats_suite(void)
{
    Suite *suite = suite_create("formats");
    TCase *tcase = tcase_create("general");
    char **formats = test_formats();
    int n = g_strv_length(formats);

    g_strfreev(formats);
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, same_format, 0, n);
    tcase_add_loop_test(tcase, to_rgb, 0, n);
    tcase_add_loop_test(tcase, from_rgb, 0, n);
    tcase_add_loop_test(tcase, network, 0, n);
    tcase_add_loop_test(tcase, strength, 0, n);
    tcase_add_loop_test(tcase, no_copy, 0, 10);
    tcase_add_loop_test(tcase, alpha_passes, 0, 6 * G_N_ELEMENTS(alpha_formats));
    tcase_add_loop_test(tcase, alpha_scales, 0, G_N_ELEMENTS(alpha_formats));
    tcase_add_loop_test(tcase, alpha_appears, 0, 4 * G_N_ELEMENTS(alpha_formats));
    tcase_add_loop_test(tcase, grey_model, 0, 5);
    tcase_add_test(tcase, camera_formats_are_there);
    return suite;
}

int main(int argc, char **argv)
{
    gst_check_init(&argc, &argv);
    return test_main(formats_suite());
}
