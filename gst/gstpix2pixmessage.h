/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What goes wrong in the engine, told to the application. */
#ifndef GST_PIX2PIX_MESSAGE_H
#define GST_PIX2PIX_MESSAGE_H

#include <gst/gst.h>

G_BEGIN_DECLS

/** GstPix2pixWhat: what the element was about to do. */
typedef enum {
    GST_PIX2PIX_WHAT_LOAD,      /* open the device, load the model */
    GST_PIX2PIX_WHAT_CONFIGURE, /* prepare for a size, a format, other settings */
    GST_PIX2PIX_WHAT_FRAME,     /* translate a frame */
} GstPix2pixWhat;

/**
 * gst_pix2pix_post:
 * Posts @error as an error or a warning, as @type says.
 * @model: (nullable): the model's name, which the message then holds.
 *
 *   NO_DEVICE       LIBRARY/INIT
 *   DEVICE_LOST     LIBRARY/FAILED
 *   NO_MEMORY       RESOURCE/NO_SPACE_LEFT
 *   NOT_FOUND       RESOURCE/NOT_FOUND
 *   IO              RESOURCE/OPEN_READ
 *   BAD_CHECKPOINT  STREAM/WRONG_TYPE
 *   BAD_SHAPE       CORE/NEGOTIATION
 *   UNSUPPORTED     STREAM/WRONG_TYPE of a model, else LIBRARY/SETTINGS
 *   (none of PIX_ERROR: LIBRARY/FAILED)
 *
 * The message's details hold `model` and `code`, the name of the PIX_ERROR code.
 */
void gst_pix2pix_post(GstElement *element, GstMessageType type, GstPix2pixWhat what,
                      const char *model, const GError *error);

G_END_DECLS

#endif
