/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * parse-pipeline WORD...: whether gst-launch-1.0 could build that pipeline. Nothing is run.
 */
#include <gst/gst.h>

int main(int argc, char **argv)
{
    GError *error = NULL;

    gst_init(NULL, NULL);
    GstElement *pipeline =
        gst_parse_launchv_full((const char **)argv + 1, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
    if (!pipeline || error) {
        g_printerr("parse-pipeline: %s\n", error ? error->message : "nothing to build");
        return 1;
    }
    gst_object_unref(pipeline);
    return 0;
}
