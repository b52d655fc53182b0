/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Negotiation: queries, what is refused, what is chosen, and changes while frames flow. */
#include <gst/base/gstbasetransform.h>

#include <string.h>

#include "common.h"

static GstCaps *transformed(GstElement *element, GstPadDirection direction, GstCaps *caps,
                            GstCaps *filter)
{
    return GST_BASE_TRANSFORM_GET_CLASS(element)->transform_caps(GST_BASE_TRANSFORM(element),
                                                                 direction, caps, filter);
}

static const char *const some_caps[] = {
    "video/x-raw,format=RGB,width=640,height=480,framerate=30/1",
    "video/x-raw,format=I420,width=1,height=1,framerate=0/1",
    "video/x-raw,format=NV12,width=[1,100],height=[1,100]",
    "video/x-raw,format={NV12,I420,RGB},width=320,height=240",
    "video/x-raw",
    "video/x-raw,width=123",
    "video/x-raw,format=BGRA,pixel-aspect-ratio=16/15,width=720,height=576,framerate=25/1",
    "video/x-raw,format=I420,colorimetry=bt709,chroma-site=mpeg2,width=16,height=16",
    "video/x-raw,format=GRAY8,width=17,height=13,interlace-mode=progressive",
    "video/x-raw,format=YUY2,width=64,height=64,multiview-mode=mono",
    "video/x-raw,format=RGB,width=4,height=4;video/x-raw,format=I420,width=8,height=8",
    "video/x-raw,format=RGB,framerate=[0/1,60/1]",
    "video/x-raw,format=(string){RGB,BGR},height=[2,max]",
    "video/x-raw,format=UYVY,width=4096,height=2304",
    "video/x-raw,format=Y444,colorimetry={bt601,bt709}",
    "video/x-raw,format=A420,width=64",
    "video/x-raw,format=AYUV,max-framerate=60/1",
    "video/x-raw,format=ARGB,views=1",
    "video/x-raw,format=xBGR,pixel-aspect-ratio=[1/2,2/1]",
    "video/x-raw,format=NV21,width=[16,64,16],height=[16,64,16]",
};

/* There and back again gives at least what one came with. */
GST_START_TEST(reversible)
{
    GstElement *element = gst_element_factory_make("pix2pixfilter", NULL);
    GstCaps *caps = gst_caps_from_string(some_caps[__i__]), *there, *back;

    for (int direction = 1; direction <= 2; direction++) {
        there = transformed(element, direction, caps, NULL);
        back = transformed(element, 3 - direction, there, NULL);
        fail_unless(gst_caps_is_subset(caps, back), "%s", some_caps[__i__]);
        gst_caps_unref(there);
        gst_caps_unref(back);
    }
    gst_caps_unref(caps);
    gst_object_unref(element);
}
GST_END_TEST;

/* Without a model, without a state: the template, at once. */
GST_START_TEST(query_without_model)
{
    GstElement *element = gst_element_factory_make("pix2pixfilter", NULL);
    const char *names[] = {"sink", "src"};

    g_object_set(element, "model", "/nonexistent/model.safetensors", NULL);
    for (int i = 0; i < 4; i++) {
        GstPad *pad = gst_element_get_static_pad(element, names[i % 2]);
        GstCaps *caps = gst_pad_query_caps(pad, NULL);
        GstCaps *templ = gst_pad_get_pad_template_caps(pad);

        fail_unless(gst_caps_is_equal(caps, templ));
        gst_caps_unref(templ);
        gst_caps_unref(caps);
        gst_object_unref(pad);
        if (i == 1)
            fail_unless_equals_int(gst_element_set_state(element, GST_STATE_READY),
                                   GST_STATE_CHANGE_SUCCESS);
    }
    gst_element_set_state(element, GST_STATE_NULL);
    gst_object_unref(element);
}
GST_END_TEST;

/* The filter's order decides, and nothing outside of it is answered. */
GST_START_TEST(filter)
{
    GstElement *element = gst_element_factory_make("pix2pixfilter", NULL);
    GstCaps *caps = gst_caps_from_string("video/x-raw,format=RGB,width=64,height=48");
    GstCaps *filter = gst_caps_from_string("video/x-raw,format=NV12,width=32;"
                                           "video/x-raw,format=RGB;video/x-h264");
    GstCaps *result = transformed(element, GST_PAD_SINK, caps, filter);

    fail_unless(gst_caps_is_subset(result, filter));
    fail_unless_equals_string(gst_structure_get_string(gst_caps_get_structure(result, 0), "format"),
                              "NV12");
    gst_caps_unref(result);

    result = transformed(element, GST_PAD_SINK, caps, NULL);
    fail_unless(
        gst_structure_is_equal(gst_caps_get_structure(result, 0), gst_caps_get_structure(caps, 0)),
        "the same does not come first");
    gst_caps_unref(result);
    gst_caps_unref(filter);
    gst_caps_unref(caps);
    gst_object_unref(element);
}
GST_END_TEST;

typedef struct {
    const char *in, *downstream, *out;
} Choice;

#define V "video/x-raw,framerate=30/1,"
static const Choice choices[] = {
    /* the same, if it may be */
    {V "format=RGB,width=64,height=48", "video/x-raw", V "format=RGB,width=64,height=48"},
    {V "format=I420,width=64,height=48", "video/x-raw,format={RGB,I420}",
     V "format=I420,width=64,height=48"},
    {V "format=I420,width=64,height=48",
     "video/x-raw,format=RGB,width=32,height=24;video/x-raw,format=I420",
     V "format=I420,width=64,height=48"},
    /* else the same size */
    {V "format=I420,width=64,height=48",
     "video/x-raw,format=BGR,width=32,height=24;video/x-raw,format=RGB,width=64,height=48",
     V "format=RGB,width=64,height=48"},
    /* else downstream's first */
    {V "format=I420,width=64,height=48",
     "video/x-raw,format=BGR,width=32,height=24;video/x-raw,format=RGB,width=16,height=12",
     V "format=BGR,width=32,height=24"},
    /* the size is kept where only the format is asked for */
    {V "format=I420,width=63,height=49", "video/x-raw,format=RGB",
     V "format=RGB,width=63,height=49"},
    /* nearest format: no colour, alpha or resolution lost that could be kept */
    {V "format=RGBA,width=8,height=8", "video/x-raw,format={GRAY8,I420,RGB,AYUV,Y444}",
     V "format=AYUV,width=8,height=8"},
    {V "format=Y444,width=8,height=8", "video/x-raw,format={GRAY8,I420,Y42B,RGB}",
     V "format=RGB,width=8,height=8"},
    {V "format=I420,width=8,height=8", "video/x-raw,format={RGB,NV12}",
     V "format=NV12,width=8,height=8"},
    /* display aspect ratio */
    {V "format=RGB,width=640,height=480,pixel-aspect-ratio=1/1", "video/x-raw,width=256,height=256",
     V "format=RGB,width=256,height=256,pixel-aspect-ratio=4/3"},
    {V "format=RGB,width=640,height=480", "video/x-raw,width=256,height=256",
     V "format=RGB,width=256,height=256,pixel-aspect-ratio=4/3"},
    {V "format=RGB,width=640,height=480", "video/x-raw,width=320",
     V "format=RGB,width=320,height=240"},
    {V "format=RGB,width=640,height=480", "video/x-raw,height=[1,240]",
     V "format=RGB,width=320,height=240"},
    {V "format=RGB,width=640,height=480", "video/x-raw,height=240",
     V "format=RGB,width=320,height=240"},
    {V "format=RGB,width=720,height=576,pixel-aspect-ratio=16/15",
     "video/x-raw,pixel-aspect-ratio=1/1",
     V "format=RGB,width=768,height=576,pixel-aspect-ratio=1/1"},
    {V "format=RGB,width=720,height=576,pixel-aspect-ratio=16/15", "video/x-raw,format=NV12",
     V "format=NV12,width=720,height=576,pixel-aspect-ratio=16/15"},
    /* colorimetry goes with the kind of format */
    {V "format=I420,width=64,height=48,colorimetry=bt709,chroma-site=mpeg2",
     "video/x-raw,format=NV12",
     V "format=NV12,width=64,height=48,colorimetry=bt709,chroma-site=mpeg2"},
    {V "format=I420,width=64,height=48,colorimetry=bt709,chroma-site=mpeg2",
     "video/x-raw,format=RGB", V "format=RGB,width=64,height=48"},
    {V "format=I420,width=64,height=48,colorimetry=bt709,chroma-site=mpeg2",
     "video/x-raw,format=Y444", V "format=Y444,width=64,height=48,colorimetry=bt709"},
    {V "format=RGB,width=64,height=48,colorimetry=sRGB", "video/x-raw,format=I420",
     V "format=I420,width=64,height=48"},
};

GST_START_TEST(choice)
{
    const Choice *choice = &choices[__i__];
    GstHarness *harness = test_harness_new("resnet2", NULL);
    GstCaps *wanted = gst_caps_from_string(choice->out), *got;

    fake_engine_reset();
    gst_harness_set_sink_caps_str(harness, choice->downstream);
    gst_harness_set_src_caps_str(harness, choice->in);
    got = gst_pad_get_current_caps(harness->sinkpad);
    fail_unless(got != NULL, "not negotiated");
    gst_caps_set_simple(wanted, "interlace-mode", G_TYPE_STRING, "progressive", NULL);
    fail_unless(gst_caps_is_equal(got, wanted), "%s\n%s", gst_caps_to_string(got),
                gst_caps_to_string(wanted));
    gst_caps_unref(got);
    gst_caps_unref(wanted);
    gst_harness_teardown(harness);
}
GST_END_TEST;

typedef struct {
    const char *caps;
    gboolean accepted;
    const char *reason; /* that the log gives */
} Acceptance;

static const Acceptance acceptances[] = {
    {V "format=RGB,width=64,height=48", TRUE, NULL},
    {V "format=NV12,width=1,height=1,interlace-mode=progressive", TRUE, NULL},
    {V "format=NV12,width=64,height=64,multiview-mode=mono", TRUE, NULL},
    {V "format=NV12,width=64,height=64,multiview-mode=frame-by-frame", TRUE, NULL},
    {V "format=NV12,width=64,height=64,multiview-mode=left", TRUE, NULL},
    {V "format=NV12,width=64,height=64,multiview-mode=side-by-side", FALSE, "several views"},
    {V "format=NV12,width=64,height=64,multiview-mode=top-bottom", FALSE, "several views"},
    {V "format=NV12,width=64,height=64,multiview-mode=checkerboard", FALSE, "several views"},
    {V "format=NV12,width=64,height=64,multiview-mode=separated", FALSE, "several views"},
    {V "format=I420,width=64,height=64,interlace-mode=interleaved", FALSE, "interlaced"},
    {V "format=I420,width=64,height=64,interlace-mode=mixed", FALSE, "interlaced"},
    {"video/x-raw(format:Interlaced),framerate=30/1,format=I420,width=64,height=64,"
     "interlace-mode=alternate",
     FALSE, "interlaced"},
    {"video/x-raw(memory:DMABuf),framerate=30/1,format=NV12,width=64,height=64", FALSE, NULL},
    {V "format=RGB16,width=64,height=64", FALSE, NULL},
    {V "format=I420_10LE,width=64,height=64", FALSE, NULL},
    {V "format=RGB,width=64,height=20000", FALSE, NULL},
    {"video/x-bayer,format=rggb,width=64,height=64", FALSE, NULL},
    {"audio/x-raw,format=S16LE,rate=44100,channels=1", FALSE, NULL},
};

static GString *log_text;

static void log_line(GstDebugCategory *category, GstDebugLevel level, const gchar *file,
                     const gchar *function, gint line, GObject *object, GstDebugMessage *message,
                     gpointer data)
{
    if (g_str_equal(gst_debug_category_get_name(category), "pix2pix"))
        g_string_append_printf(log_text, "%s\n", gst_debug_message_get(message));
}

/* What is refused is refused with words, before a buffer is looked at. */
GST_START_TEST(acceptance)
{
    const Acceptance *acceptance = &acceptances[__i__];
    GstHarness *harness = test_harness_new("resnet2", NULL);
    GstCaps *caps = gst_caps_from_string(acceptance->caps);
    GstPad *pad = gst_element_get_static_pad(harness->element, "sink");

    fake_engine_reset();
    log_text = g_string_new(NULL);
    test_listen(log_line);
    fail_unless_equals_int(gst_pad_query_accept_caps(pad, caps), acceptance->accepted);
    test_listen_no_more(log_line);
    if (acceptance->reason)
        fail_unless(strstr(log_text->str, acceptance->reason) != NULL, "%s", log_text->str);

    gst_harness_set_caps(harness, caps, gst_caps_new_any());
    if (!acceptance->accepted)
        fail_unless_equals_int(
            gst_harness_push(harness, gst_buffer_new_allocate(NULL, 99999, NULL)),
            GST_FLOW_NOT_NEGOTIATED);
    fail_unless(acceptance->accepted == gst_pad_has_current_caps(harness->sinkpad));
    fail_unless_equals_int(fake_engine_get_calls(), 0);
    g_string_free(log_text, TRUE);
    gst_object_unref(pad);
    gst_harness_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(multiview_is_kept)
{
    GstElement *element = gst_element_factory_make("pix2pixfilter", NULL);
    GstCaps *caps = gst_caps_from_string("video/x-raw,format=RGB,width=64,height=64,"
                                         "multiview-mode={mono,side-by-side,left}");
    GstCaps *result = transformed(element, GST_PAD_SINK, caps, NULL);
    GstCaps *packed = gst_caps_from_string("video/x-raw,multiview-mode=side-by-side");
    GstCaps *single = gst_caps_from_string("video/x-raw,multiview-mode=left");

    fail_if(gst_caps_can_intersect(result, packed));
    fail_unless(gst_caps_can_intersect(result, single));
    gst_caps_unref(single);
    gst_caps_unref(packed);
    gst_caps_unref(result);
    gst_caps_unref(caps);
    gst_object_unref(element);
}
GST_END_TEST;

GST_START_TEST(deinterlace_links)
{
    GError *error = NULL;
    GstElement *pipeline = gst_parse_launch(
        "videotestsrc num-buffers=2 ! video/x-raw,format=I420,width=64,height=64,"
        "interlace-mode=interleaved ! deinterlace ! pix2pixfilter name=f ! fakesink",
        &error);
    GstElement *filter = gst_bin_get_by_name(GST_BIN(pipeline), "f");
    g_autofree char *path = test_model("resnet2");
    GstMessage *message;
    GstBus *bus = gst_element_get_bus(pipeline);

    fail_unless(error == NULL);
    g_object_set(filter, "model", path, NULL);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    message = gst_bus_timed_pop_filtered(bus, 20 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    fail_unless(message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_message_unref(message);
    gst_object_unref(filter);
    gst_object_unref(bus);
    gst_object_unref(pipeline);
}
GST_END_TEST;

/* Other caps at any time: the model stays, no buffer is lost, none is marked as after a loss. */
GST_START_TEST(renegotiation)
{
    static const struct {
        const char *format;
        int width, height;
    } streams[] = {
        {"RGB", 64, 48}, {"I420", 33, 17}, {"BGRx", 1, 1}, {"NV12", 320, 240}, {"RGB", 64, 48}};
    GstHarness *harness = test_harness_new("resnet2", NULL);
    GstStructure *stats;

    fake_engine_reset();
    fake_engine_set_mode(FAKE_INVERT);
    for (gsize i = 0; i < G_N_ELEMENTS(streams); i++) {
        GstVideoInfo info = test_info(streams[i].format, streams[i].width, streams[i].height), got;

        test_set_caps(harness, &info, NULL);
        for (int n = 0; n < 20; n++) {
            GstBuffer *output = test_run(harness, test_picture(&info, 20 * i + n));

            got = test_out_info(harness);
            fail_unless(gst_video_info_is_equal(&got, &info));
            fail_unless_equals_int(gst_buffer_get_size(output), GST_VIDEO_INFO_SIZE(&info));
            fail_if(GST_BUFFER_FLAG_IS_SET(output, GST_BUFFER_FLAG_DISCONT));
            gst_buffer_unref(output);
        }
    }
    fail_unless_equals_int(fake_engine_get_calls(), 100);
    g_object_get(harness->element, "stats", &stats, NULL);
    fail_unless_equals_string(gst_structure_get_string(stats, "architecture"), "resnet_2blocks");
    gst_structure_free(stats);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* Downstream asks for something else in the middle. */
GST_START_TEST(reconfigure)
{
    GstHarness *harness = test_harness_new("resnet2", NULL);
    GstVideoInfo in = test_info("RGB", 64, 48), out, got;
    static const char *const formats[] = {"RGB", "I420", "GRAY8", "BGRA", "RGB"};

    fake_engine_reset();
    fake_engine_set_mode(FAKE_INVERT);
    gst_harness_set_sink_caps(harness, gst_caps_new_any());
    test_set_caps(harness, &in, NULL);
    for (int i = 0; i < 5; i++) {
        out = test_info(formats[i], 64 >> i, 48 >> i);
        gst_harness_set_sink_caps(harness, gst_video_info_to_caps(&out));
        for (int n = 0; n < 5; n++) {
            GstBuffer *output = test_run(harness, test_picture(&in, 5 * i + n));

            got = test_out_info(harness);
            fail_unless_equals_string(GST_VIDEO_INFO_NAME(&got), formats[i]);
            fail_unless_equals_int(GST_VIDEO_INFO_WIDTH(&got), 64 >> i);
            fail_unless_equals_int(gst_buffer_get_size(output), GST_VIDEO_INFO_SIZE(&got));
            fail_if(GST_BUFFER_FLAG_IS_SET(output, GST_BUFFER_FLAG_DISCONT));
            gst_buffer_unref(output);
        }
    }
    gst_harness_teardown(harness);
}
GST_END_TEST;

static gboolean change_caps(gpointer data)
{
    static int calls;
    int side = 16 << (calls++ % 4);
    GstCaps *caps = gst_caps_new_simple("video/x-raw", "width", G_TYPE_INT, side, "height",
                                        G_TYPE_INT, side, NULL);

    g_object_set(data, "caps", caps, NULL);
    gst_caps_unref(caps);
    return TRUE;
}

/* The same in a pipeline, live. */
GST_START_TEST(live_capsfilter)
{
    GError *error = NULL;
    GstElement *pipeline = gst_parse_launch("videotestsrc num-buffers=200 pattern=ball ! "
                                            "video/x-raw,format=I420,framerate=1000/1 ! "
                                            "capsfilter name=a caps-change-mode=delayed ! "
                                            "pix2pixfilter name=f ! "
                                            "capsfilter name=b caps-change-mode=delayed ! "
                                            "fakesink name=s",
                                            &error);
    GstElement *filter = gst_bin_get_by_name(GST_BIN(pipeline), "f");
    GstElement *before = gst_bin_get_by_name(GST_BIN(pipeline), "a");
    GstElement *behind = gst_bin_get_by_name(GST_BIN(pipeline), "b");
    GstBus *bus = gst_element_get_bus(pipeline);
    g_autofree char *path = test_model("resnet2");
    GstMessage *message = NULL;

    fail_unless(error == NULL);
    fake_engine_reset();
    fake_engine_set_mode(FAKE_INVERT);
    g_object_set(filter, "model", path, NULL);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    for (int i = 0; i < 1000 && !message; i++) {
        change_caps(i % 2 ? before : behind);
        message =
            gst_bus_timed_pop_filtered(bus, 5 * GST_MSECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    }
    fail_unless(message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_message_unref(message);
    gst_object_unref(before);
    gst_object_unref(behind);
    gst_object_unref(filter);
    gst_object_unref(bus);
    gst_object_unref(pipeline);
}
GST_END_TEST;

/* Buffers before caps are an error of upstream's, not a crash. */
GST_START_TEST(no_caps)
{
    GstHarness *harness = test_harness_new("resnet2", NULL);
    GstSegment segment;

    gst_harness_set_sink_caps_str(harness, "video/x-raw");
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(harness->srcpad, gst_event_new_stream_start("test"));
    gst_pad_push_event(harness->srcpad, gst_event_new_segment(&segment));
    fail_unless_equals_int(gst_pad_push(harness->srcpad, gst_buffer_new_allocate(NULL, 64, NULL)),
                           GST_FLOW_NOT_NEGOTIATED);
    gst_harness_teardown(harness);
}
GST_END_TEST;

static Suite *caps_suite(void)
{
    Suite *suite = suite_create("caps");
    TCase *tcase = tcase_create("general");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, reversible, 0, G_N_ELEMENTS(some_caps));
    tcase_add_test(tcase, query_without_model);
    tcase_add_test(tcase, filter);
    tcase_add_loop_test(tcase, choice, 0, G_N_ELEMENTS(choices));
    tcase_add_loop_test(tcase, acceptance, 0, G_N_ELEMENTS(acceptances));
    tcase_add_test(tcase, multiview_is_kept);
    tcase_add_test(tcase, deinterlace_links);
    tcase_add_test(tcase, renegotiation);
    tcase_add_test(tcase, reconfigure);
    tcase_add_test(tcase, live_capsfilter);
    tcase_add_test(tcase, no_caps);
    return suite;
}

int main(int argc, char **argv)
{
    test_prepare_listening();
    gst_check_init(&argc, &argv);
    return test_main(caps_suite());
}
