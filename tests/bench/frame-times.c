/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Usage: frame-times FRAMES WIDTH HEIGHT SETTINGS
 *
 * How long the element takes for a frame of I420, from when it is pushed to when it has come out. Prints
 * the milliseconds of each as JSON. SETTINGS are properties: "model=facades fit=native".
 */
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <stdio.h>
#include <stdlib.h>

#define WARM_UP 3 /* frames: caches, page faults, the clock of the processor */
#define MAX_FRAMES 100000

/* A frame of seeded noise: flat pictures would be kinder to caches and denormals than real ones. */
static GstBuffer *noise(gsize bytes)
{
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, bytes, NULL);
    guint32 state = 1;
    GstMapInfo map;

    gst_buffer_map(buffer, &map, GST_MAP_WRITE);
    for (gsize i = 0; i < bytes; i++) {
        state = state * 1664525 + 1013904223;
        map.data[i] = state >> 24;
    }
    gst_buffer_unmap(buffer, &map);
    return buffer;
}

/* Returns: (nullable): the element, running. A harness ends the process where an element does not start. */
static GstHarness *start(const char *settings, const GstVideoInfo *info, GError **error)
{
    g_autofree char *line = g_strdup_printf("pix2pixfilter in-flight=1 %s", settings);
    g_autoptr(GstElement) element = gst_parse_launch(line, error);

    if (!element)
        return NULL;
    gst_object_ref_sink(element);
    if (gst_element_set_state(element, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE) {
        gst_element_set_state(element, GST_STATE_NULL);
        g_set_error(error, GST_CORE_ERROR, GST_CORE_ERROR_STATE_CHANGE, "%s: does not start", line);
        return NULL;
    }
    GstHarness *harness = gst_harness_new_with_element(element, "sink", "src");
    gst_harness_set_src_caps(harness, gst_video_info_to_caps(info));
    return harness;
}

/* Returns: milliseconds; negative where it failed. */
static double translate(GstHarness *harness, GstBuffer *frame, guint64 number)
{
    GstBuffer *in = gst_buffer_copy(frame), *out = NULL;
    gint64 before = g_get_monotonic_time();

    GST_BUFFER_PTS(in) = gst_util_uint64_scale(number, GST_SECOND, 30);
    GST_BUFFER_DURATION(in) = GST_SECOND / 30;
    if (gst_harness_push(harness, in) == GST_FLOW_OK)
        out = gst_harness_pull(harness);
    if (!out)
        return -1;
    gst_buffer_unref(out);
    return (g_get_monotonic_time() - before) / 1e3;
}

static int measure(GstHarness *harness, GstBuffer *frame, int frames)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    for (int i = -WARM_UP; i < frames; i++) {
        double ms = translate(harness, frame, (guint64)(i + WARM_UP));
        if (ms < 0) {
            fprintf(stderr, "frame-times: the element failed; GST_DEBUG=2 shows why\n");
            return EXIT_FAILURE;
        }
        g_ascii_formatd(number, sizeof number, "%.3f", ms);
        if (i >= 0)
            g_string_append_printf(text, "%s%s", i ? ", " : "", number);
    }
    printf("{\"ms\": [%s]}\n", text->str);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    int frames = argc == 5 ? atoi(argv[1]) : 0;
    int width = argc == 5 ? atoi(argv[2]) : 0, height = argc == 5 ? atoi(argv[3]) : 0;
    GstVideoInfo info;

    if (frames < 1 || frames > MAX_FRAMES || width < 1 || height < 1 ||
        !gst_video_info_set_format(&info, GST_VIDEO_FORMAT_I420, (guint)width, (guint)height)) {
        fprintf(stderr, "usage: frame-times FRAMES WIDTH HEIGHT SETTINGS\n");
        return 2;
    }
    info.fps_n = 30;
    info.fps_d = 1;
    GError *error = NULL;
    GstHarness *harness = start(argv[4], &info, &error);
    if (!harness) {
        fprintf(stderr, "frame-times: %s\n", error->message);
        g_error_free(error);
        return EXIT_FAILURE;
    }
    GstBuffer *frame = noise(GST_VIDEO_INFO_SIZE(&info));
    int status = measure(harness, frame, frames);

    gst_buffer_unref(frame);
    gst_harness_teardown(harness);
    return status;
}
