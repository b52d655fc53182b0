/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * watch-model: runs a pipeline as gst-launch-1.0 does, and has each pix2pixfilter in it read its
 * model again whenever the file was replaced, as pix2pix train does with latest.safetensors. The
 * new model takes over between two frames.
 *
 *   watch-model RUN/latest.safetensors videotestsrc ! pix2pixfilter ! videoconvert ! autovideosink
 */
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <stdio.h>
#include <string.h>

#define INTERVAL 1 /* seconds from one look at the file to the next */

typedef struct {
    GMainLoop *loop;
    GstElement *pipeline;
    const char *file;
    GStatBuf seen;
    gboolean failed;
} Watch;

/* Whether there is another file of that name by now. */
static gboolean has_changed(Watch *watch)
{
    GStatBuf now;

    if (g_stat(watch->file, &now) ||
        (now.st_ino == watch->seen.st_ino && now.st_mtime == watch->seen.st_mtime))
        return FALSE;
    watch->seen = now;
    return TRUE;
}

static void set_model(const GValue *item, gpointer data)
{
    Watch *watch = data;

    g_object_set(g_value_get_object(item), "model", watch->file, NULL);
}

static void set_models(Watch *watch)
{
    GstIterator *filters =
        gst_bin_iterate_all_by_element_factory_name(GST_BIN(watch->pipeline), "pix2pixfilter");

    gst_iterator_foreach(filters, set_model, watch);
    gst_iterator_free(filters);
}

static gboolean on_tick(gpointer data)
{
    Watch *watch = data;

    if (has_changed(watch)) {
        set_models(watch);
        printf("watch-model: %s is new\n", watch->file);
        fflush(stdout);
    }
    return G_SOURCE_CONTINUE;
}

static gboolean on_message(GstBus *bus, GstMessage *message, gpointer data)
{
    Watch *watch = data;
    g_autoptr(GError) error = NULL;
    GstMessageType type = GST_MESSAGE_TYPE(message);

    if (type == GST_MESSAGE_ERROR)
        gst_message_parse_error(message, &error, NULL);
    if (type == GST_MESSAGE_WARNING)
        gst_message_parse_warning(message, &error, NULL);
    if (error)
        fprintf(stderr, "watch-model: %s: %s\n", GST_OBJECT_NAME(message->src), error->message);
    watch->failed = watch->failed || type == GST_MESSAGE_ERROR;
    if (type == GST_MESSAGE_ERROR || type == GST_MESSAGE_EOS)
        g_main_loop_quit(watch->loop);
    return G_SOURCE_CONTINUE;
}

static void clear_if_unsynced(const GValue *item, gpointer only_shows)
{
    GObject *sink = g_value_get_object(item);
    gboolean sync = TRUE;

    if (g_object_class_find_property(G_OBJECT_GET_CLASS(sink), "sync"))
        g_object_get(sink, "sync", &sync, NULL);
    *(gboolean *)only_shows &= sync;
}

/* Whether every sink shows its frames when it is time to. Those that write files do not wait. */
static gboolean only_shows(Watch *watch)
{
    GstIterator *sinks = gst_bin_iterate_sinks(GST_BIN(watch->pipeline));
    gboolean shows = TRUE;

    gst_iterator_foreach(sinks, clear_if_unsynced, &shows);
    gst_iterator_free(sinks);
    return shows;
}

/*
 * Ctrl-C and kill: an end of stream finishes the file, where quitting would leave it broken. In a
 * window it would wait until all frames that are on their way have been seen.
 */
static gboolean on_interrupt(gpointer data)
{
    Watch *watch = data;

    if (only_shows(watch))
        g_main_loop_quit(watch->loop);
    else
        gst_element_send_event(watch->pipeline, gst_event_new_eos());
    return G_SOURCE_REMOVE; /* and the next one kills */
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    gst_init(&argc, &argv);
    if (argc < 3) {
        fprintf(stderr, "watch-model: takes FILE PIPELINE...\n");
        return 2;
    }
    Watch watch = {.file = argv[1]};
    if (g_stat(watch.file, &watch.seen)) {
        fprintf(stderr, "watch-model: %s: there is no such file yet\n", watch.file);
        return 1;
    }
    watch.pipeline = gst_parse_launchv((const char **)argv + 2, &error);
    if (error) {
        fprintf(stderr, "watch-model: %s\n", error->message);
        return 1;
    }
    set_models(&watch);

    watch.loop = g_main_loop_new(NULL, FALSE);
    GstBus *bus = gst_element_get_bus(watch.pipeline);
    gst_bus_add_watch(bus, on_message, &watch);
    g_unix_signal_add(SIGINT, on_interrupt, &watch);
    g_unix_signal_add(SIGTERM, on_interrupt, &watch);
    g_timeout_add_seconds(INTERVAL, on_tick, &watch);
    gst_element_set_state(watch.pipeline, GST_STATE_PLAYING); /* failures come as messages */
    g_main_loop_run(watch.loop);
    gst_element_set_state(watch.pipeline, GST_STATE_NULL);

    gst_bus_remove_watch(bus);
    gst_object_unref(bus);
    gst_object_unref(watch.pipeline);
    g_main_loop_unref(watch.loop);
    return watch.failed ? 1 : 0;
}
