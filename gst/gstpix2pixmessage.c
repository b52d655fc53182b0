/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstpix2pixmessage.h"

#include <pix2pix/pix.h>
#include <string.h>

typedef struct {
    const char *name;
    GQuark (*domain)(void);
    int code;
} Translation;

static const Translation translations[] = {
    [PIX_ERROR_NO_DEVICE] = {"NO_DEVICE", gst_library_error_quark, GST_LIBRARY_ERROR_INIT},
    [PIX_ERROR_DEVICE_LOST] = {"DEVICE_LOST", gst_library_error_quark, GST_LIBRARY_ERROR_FAILED},
    [PIX_ERROR_NO_MEMORY] = {"NO_MEMORY", gst_resource_error_quark,
                             GST_RESOURCE_ERROR_NO_SPACE_LEFT},
    [PIX_ERROR_NOT_FOUND] = {"NOT_FOUND", gst_resource_error_quark, GST_RESOURCE_ERROR_NOT_FOUND},
    [PIX_ERROR_IO] = {"IO", gst_resource_error_quark, GST_RESOURCE_ERROR_OPEN_READ},
    [PIX_ERROR_BAD_CHECKPOINT] = {"BAD_CHECKPOINT", gst_stream_error_quark,
                                  GST_STREAM_ERROR_WRONG_TYPE},
    [PIX_ERROR_BAD_SHAPE] = {"BAD_SHAPE", gst_core_error_quark, GST_CORE_ERROR_NEGOTIATION},
    [PIX_ERROR_UNSUPPORTED] = {"UNSUPPORTED", gst_library_error_quark, GST_LIBRARY_ERROR_SETTINGS},
};

void gst_pix2pix_post(GstElement *element, GstMessageType type, GstPix2pixWhat what,
                      const char *model, const GError *error)
{
    static const char *const doing[] = {"loading", "configuring", "translating"};
    Translation as = {"UNKNOWN", gst_library_error_quark, GST_LIBRARY_ERROR_FAILED};
    char *text, *debug;

    if (error->domain == PIX_ERROR && error->code >= 0 &&
        error->code < (int)G_N_ELEMENTS(translations))
        as = translations[error->code];
    if (what == GST_PIX2PIX_WHAT_LOAD && g_error_matches(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED)) {
        as.domain = gst_stream_error_quark;
        as.code = GST_STREAM_ERROR_WRONG_TYPE;
    }
    text = model && !strstr(error->message, model)
               ? g_strdup_printf("%s: %s", model, error->message)
               : g_strdup(error->message);
    debug = model
                ? g_strdup_printf("PIX_ERROR_%s while %s model \"%s\"", as.name, doing[what], model)
                : g_strdup_printf("PIX_ERROR_%s while opening the device", as.name);
    gst_element_message_full_with_details(
        element, type, as.domain(), as.code, text, debug, __FILE__, GST_FUNCTION, __LINE__,
        gst_structure_new("pix2pix-details", "model", G_TYPE_STRING, model ? model : "", "code",
                          G_TYPE_STRING, as.name, NULL));
}
