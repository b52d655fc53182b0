/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The element linked into a program, where nobody loads a plugin: all of it must work, logs too. */
#include <gst/gst.h>
#include <string.h>

GST_PLUGIN_STATIC_DECLARE(pix2pix);
GST_ELEMENT_REGISTER_DECLARE(pix2pixfilter);

static gint lines;

static void count_line(GstDebugCategory *category, GstDebugLevel level, const gchar *file,
                       const gchar *function, gint line, GObject *object, GstDebugMessage *message,
                       gpointer data)
{
    if (g_str_equal(gst_debug_category_get_name(category), "pix2pix"))
        g_atomic_int_inc(&lines);
}

int main(int argc, char **argv)
{
    GstElement *element;

    gst_init(&argc, &argv);
    gst_debug_set_active(TRUE);
    gst_debug_remove_log_function(gst_debug_log_default);
    gst_debug_add_log_function(count_line, NULL, NULL);
    gst_debug_set_threshold_from_string("pix2pix:5", FALSE);

    g_assert_null(gst_element_factory_find("pix2pixfilter"));
    if (argc > 1 && strcmp(argv[1], "plugin") == 0)
        GST_PLUGIN_STATIC_REGISTER(pix2pix);
    else
        g_assert_true(GST_ELEMENT_REGISTER(pix2pixfilter, NULL));
    element = gst_element_factory_make("pix2pixfilter", NULL);
    g_assert_nonnull(element);
    g_object_set(element, "threads", 1, "model", "/nonexistent", NULL);
    g_assert_cmpint(gst_element_set_state(element, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_FAILURE);
    g_object_set(element, "model", "facades", NULL);
    g_assert_cmpint(gst_element_set_state(element, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_SUCCESS);
    g_object_set(element, "threads", 2, NULL); /* too late, which is logged */
    g_assert_cmpint(lines, >, 0);
    gst_element_set_state(element, GST_STATE_NULL);
    gst_object_unref(element);
    gst_deinit();
    return 0;
}
