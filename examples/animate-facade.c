/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * animate-facade: a drawn house whose windows, blinds and balcony move, translated while it moves.
 * Shows all that a program needs that embeds the element:
 *
 *   appsrc ! pix2pixfilter ! videoconvert ! autovideosink
 */
#include "facade-drawing.h"

#include <glib-unix.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <stdio.h>

#define RATE 25 /* frames a second */

typedef struct {
    GMainLoop *loop;
    GstElement *pipeline;
    int size, frames; /* frames: 0 for ever */
    guint house;
    guint64 drawn;
    gboolean failed;
} Animation;

/* The element wants a frame; called from its streaming thread. */
static void on_need_data(GstAppSrc *source, guint length, gpointer data)
{
    Animation *animation = data;

    if (animation->frames && animation->drawn >= (guint64)animation->frames) {
        gst_app_src_end_of_stream(source);
        return;
    }
    gsize stride = GST_ROUND_UP_4(3 * animation->size); /* what plain RGB caps promise */
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, stride * animation->size, NULL);
    GstMapInfo map;
    gst_buffer_map(buffer, &map, GST_MAP_WRITE);
    facade_draw(map.data, animation->size, animation->size, stride, animation->house,
                (double)animation->drawn / RATE);
    gst_buffer_unmap(buffer, &map);
    GST_BUFFER_PTS(buffer) = animation->drawn * GST_SECOND / RATE;
    GST_BUFFER_DURATION(buffer) = GST_SECOND / RATE;
    animation->drawn++;
    gst_app_src_push_buffer(source, buffer); /* takes the buffer */
}

/* Errors and the end arrive here, in the main loop, whatever thread they happened in. */
static gboolean on_message(GstBus *bus, GstMessage *message, gpointer data)
{
    Animation *animation = data;
    GError *error = NULL;

    switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR:
        gst_message_parse_error(message, &error, NULL);
        fprintf(stderr, "animate-facade: %s: %s\n", GST_OBJECT_NAME(message->src), error->message);
        animation->failed = TRUE;
        g_main_loop_quit(animation->loop);
        break;
    case GST_MESSAGE_WARNING:
        gst_message_parse_warning(message, &error, NULL);
        fprintf(stderr, "animate-facade: %s: %s\n", GST_OBJECT_NAME(message->src), error->message);
        break;
    case GST_MESSAGE_EOS:
        g_main_loop_quit(animation->loop);
        break;
    default:
        break;
    }
    g_clear_error(&error);
    return G_SOURCE_CONTINUE;
}

/* Ctrl-C and kill: an end of stream finishes the file, where quitting would leave it broken. */
static gboolean on_interrupt(gpointer data)
{
    Animation *animation = data;

    gst_element_send_event(animation->pipeline, gst_event_new_eos());
    return G_SOURCE_REMOVE; /* and the next one kills */
}

static GstElement *make_pipeline(const Animation *animation, const char *model, const char *output,
                                 GError **error)
{
    g_autofree char *text = g_strdup_printf(
        "appsrc name=source format=time caps=video/x-raw,format=RGB,width=%d,height=%d,"
        "framerate=%d/1 ! pix2pixfilter name=filter ! videoconvert ! %s",
        animation->size, animation->size, RATE,
        output ? "vp8enc deadline=1 target-bitrate=2000000 ! webmmux ! filesink name=file"
               : "autovideosink");
    GstElement *pipeline = gst_parse_launch_full(text, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);

    /* Names of files go in as properties: in the text above, spaces and quotes would matter. */
    if (pipeline && model)
        gst_child_proxy_set(GST_CHILD_PROXY(pipeline), "filter::model", model, NULL);
    if (pipeline && output)
        gst_child_proxy_set(GST_CHILD_PROXY(pipeline), "file::location", output, NULL);
    return pipeline;
}

int main(int argc, char **argv)
{
    Animation animation = {.size = 256};
    g_autofree char *model = NULL, *output = NULL;
    int house = 1;
    const GOptionEntry entries[] = {
        {"model", 0, 0, G_OPTION_ARG_FILENAME, &model, "Checkpoint or name (facades)", "MODEL"},
        {"output", 0, 0, G_OPTION_ARG_FILENAME, &output, "A video file, not a window", "FILE.webm"},
        {"frames", 0, 0, G_OPTION_ARG_INT, &animation.frames, "How many (0: without end)", "N"},
        {"size", 0, 0, G_OPTION_ARG_INT, &animation.size, "Of the video in pixels (256)", "N"},
        {"house", 0, 0, G_OPTION_ARG_INT, &house, "Which house (1)", "N"},
        {0},
    };
    GOptionContext *options = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(options, entries, NULL);
    g_option_context_add_group(options, gst_init_get_option_group());
    if (!g_option_context_parse(options, &argc, &argv, &error) || animation.size < 16 ||
        animation.size > 4096 || animation.frames < 0 || house < 1) {
        fprintf(stderr, "animate-facade: %s, see --help\n", error ? error->message : "bad number");
        return 2;
    }
    g_option_context_free(options);
    animation.house = house - 1;
    animation.pipeline = make_pipeline(&animation, model, output, &error);
    if (!animation.pipeline) {
        fprintf(stderr, "animate-facade: %s; is the element in GST_PLUGIN_PATH?\n", error->message);
        return 1;
    }

    GstAppSrcCallbacks callbacks = {.need_data = on_need_data};
    GstElement *source = gst_bin_get_by_name(GST_BIN(animation.pipeline), "source");
    gst_app_src_set_callbacks(GST_APP_SRC(source), &callbacks, &animation, NULL);
    gst_object_unref(source);
    animation.loop = g_main_loop_new(NULL, FALSE);
    GstBus *bus = gst_element_get_bus(animation.pipeline);
    gst_bus_add_watch(bus, on_message, &animation);
    g_unix_signal_add(SIGINT, on_interrupt, &animation);
    g_unix_signal_add(SIGTERM, on_interrupt, &animation);

    gst_element_set_state(animation.pipeline, GST_STATE_PLAYING); /* failures come as messages */
    g_main_loop_run(animation.loop);
    gst_element_set_state(animation.pipeline, GST_STATE_NULL);

    gst_bus_remove_watch(bus);
    gst_object_unref(bus);
    gst_object_unref(animation.pipeline);
    g_main_loop_unref(animation.loop);
    return animation.failed ? 1 : 0;
}
