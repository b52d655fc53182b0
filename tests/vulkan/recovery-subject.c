/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the tests of faults run in a pipeline: recovery-subject SETTINGS. The element translates some
 * frames on the CPU and then, with SETTINGS, on PIX2PIX_DEVICE, and one line tells of the latter
 *   "20 frames, 3 at a time, 1 warnings, 0 errors, vulkan:0"
 * with the texts of warnings and errors on standard error. Exit status 0: every frame that came is
 * right; 1: one is not, or came in another's place.
 */
#include <stdio.h>
#include <stdlib.h>

#include <gst/gst.h>

#define FRAMES 20
#define MOST_SECONDS 120

typedef struct {
    GBytes *frames[FRAMES]; /* NULL: it did not come */
    int in, out, most;      /* most: that had gone in and not come out */
    int warnings, errors;
    char *device;
    gboolean ordered;
} Result;

static GstPadProbeReturn count_in(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Result *result = data;
    result->in++;
    result->most = MAX(result->most, result->in - result->out);
    return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn keep(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Result *result = data;
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    guint64 index = gst_util_uint64_scale_round(GST_BUFFER_PTS(buffer), 25, GST_SECOND);
    GstMapInfo map;
    for (guint64 i = index; i < FRAMES; i++)
        result->ordered = result->ordered && !result->frames[i];
    if (index < FRAMES && gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        result->frames[index] = g_bytes_new(map.data, map.size);
        gst_buffer_unmap(buffer, &map);
    }
    result->out++;
    return GST_PAD_PROBE_OK;
}

static void add_probe(GstElement *filter, const char *name, GstPadProbeCallback callback,
                      Result *result)
{
    GstPad *pad = gst_element_get_static_pad(filter, name);
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, callback, result, NULL);
    gst_object_unref(pad);
}

/* Returns: whether that was the last. */
static gboolean take(GstMessage *message, Result *result)
{
    g_autoptr(GError) error = NULL;
    gboolean last = GST_MESSAGE_TYPE(message) != GST_MESSAGE_WARNING;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) {
        gst_message_parse_warning(message, &error, NULL);
        result->warnings++;
    } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        gst_message_parse_error(message, &error, NULL);
        result->errors++;
    }
    if (error)
        fprintf(stderr, "%s\n", error->message);
    return last;
}

static void play(GstElement *pipeline, Result *result)
{
    GstBus *bus = gst_element_get_bus(pipeline);
    gboolean done = FALSE;
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    while (!done) {
        GstMessage *message =
            gst_bus_timed_pop_filtered(bus, MOST_SECONDS * GST_SECOND,
                                       GST_MESSAGE_WARNING | GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
        if (!message)
            g_error("nothing comes any more");
        done = take(message, result);
        gst_message_unref(message);
    }
    gst_object_unref(bus);
}

static void run(const char *settings, Result *result)
{
    g_autofree char *line = g_strdup_printf(
        "videotestsrc pattern=ball num-buffers=%d ! "
        "video/x-raw,format=RGB,width=32,height=32,framerate=25/1 ! "
        "pix2pixfilter name=f model=\"%s/unet32.safetensors\" qos=false %s ! fakesink",
        FRAMES, g_getenv("PIX2PIX_TEST_MODELS"), settings);
    GstElement *pipeline = gst_parse_launch(line, NULL);
    GstElement *filter = gst_bin_get_by_name(GST_BIN(pipeline), "f");
    GstStructure *stats;
    result->ordered = TRUE;
    add_probe(filter, "sink", count_in, result);
    add_probe(filter, "src", keep, result);
    play(pipeline, result);
    g_object_get(filter, "stats", &stats, NULL);
    result->device = g_strdup(gst_structure_get_string(stats, "device"));
    gst_structure_free(stats);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(filter);
    gst_object_unref(pipeline);
}

static gboolean is_near(GBytes *a, GBytes *b)
{
    gsize n_a, n_b;
    const guint8 *of_a = g_bytes_get_data(a, &n_a), *of_b = g_bytes_get_data(b, &n_b);
    gboolean near = n_a == n_b;
    for (gsize i = 0; i < n_a && near; i++)
        near = abs(of_a[i] - of_b[i]) <= 1;
    return near;
}

static gboolean agree(const Result *result, const Result *expected)
{
    gboolean same = result->ordered;
    for (int i = 0; i < FRAMES && same; i++)
        same = !result->frames[i] || is_near(result->frames[i], expected->frames[i]);
    return same;
}

static void clear(Result *result)
{
    for (int i = 0; i < FRAMES; i++)
        g_clear_pointer(&result->frames[i], g_bytes_unref);
    g_free(result->device);
}

int main(int argc, char **argv)
{
    Result expected = {{0}}, result = {{0}};
    gst_init(NULL, NULL);
    run("device=cpu", &expected);
    run(argc > 1 ? argv[1] : "", &result);
    printf("%d frames, %d at a time, %d warnings, %d errors, %s\n", result.out, result.most,
           result.warnings, result.errors, result.device);
    gboolean same = agree(&result, &expected);
    clear(&expected);
    clear(&result);
    gst_deinit();
    return same ? EXIT_SUCCESS : EXIT_FAILURE;
}
