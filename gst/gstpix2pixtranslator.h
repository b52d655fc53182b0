/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Everything that the frames of one stream pass through:
 *
 *   GstVideoFrame -> [converter] -> PixVideo -> session -> PixVideo -> [converter] -> GstVideoFrame
 *
 * with the converters left out where the device takes the frames as they are: the CPU those of its
 * own format and size, a GPU nearly all. All memory is taken in gst_pix2pix_translator_new().
 */
#ifndef GST_PIX2PIX_TRANSLATOR_H
#define GST_PIX2PIX_TRANSLATOR_H

#include <gst/video/video.h>
#include <pix2pix/pix.h>

G_BEGIN_DECLS

/** GstPix2pixFit: how a frame meets the network's size. */
typedef enum {
    GST_PIX2PIX_FIT_STRETCH,   /* scaled to the model's own size and back */
    GST_PIX2PIX_FIT_LETTERBOX, /* the same with the aspect ratio kept, the rest being border */
    GST_PIX2PIX_FIT_NATIVE,    /* not scaled; the network grows to the next size that it can do */
} GstPix2pixFit;

/** GstPix2pixSettings: what may change between two frames of a stream. */
typedef struct {
    GstPix2pixFit fit;
    PixStatistics statistics;
    PixDropout dropout;
    guint64 seed;
    guint in_flight; /* frames at a time; 0: what suits the device */
} GstPix2pixSettings;

/** GstPix2pixTimes: milliseconds of one frame. */
typedef struct {
    double convert_in_ms;  /* frame to tensor */
    double network_ms;     /* the layers */
    double convert_out_ms; /* tensor to frame */
} GstPix2pixTimes;

/** GstPix2pixTranslator: Thread-safety: one thread at a time. */
typedef struct GstPix2pixTranslator GstPix2pixTranslator;

/** gst_pix2pix_model_check: Whether frames can go through @model at all. Errors:
 * %PIX_ERROR_UNSUPPORTED. */
gboolean gst_pix2pix_model_check(PixModel *model, GError **error);

/** gst_pix2pix_settings_check: Whether @model can do as @settings say, at any size. Errors:
 * %PIX_ERROR_UNSUPPORTED. */
gboolean gst_pix2pix_settings_check(PixModel *model, const GstPix2pixSettings *settings,
                                    GError **error);

/**
 * gst_pix2pix_network_size:
 * The size of the network's input for frames of @info, and where in it the frame lies.
 * Errors: %PIX_ERROR_BAD_SHAPE.
 */
gboolean gst_pix2pix_network_size(PixModel *model, GstPix2pixFit fit, const GstVideoInfo *info,
                                  int *width, int *height, PixRect *content, GError **error);

/**
 * gst_pix2pix_translator_new:
 * @model, @settings: that the two checks above let pass.
 * @threads: how many the converters may use; 0 for all. Where memory is short, one frame is in flight
 * whatever @settings say.
 * Errors: those of pix_session_new() and of gst_pix2pix_network_size().
 */
GstPix2pixTranslator *gst_pix2pix_translator_new(PixModel *model,
                                                 const GstPix2pixSettings *settings, guint threads,
                                                 const GstVideoInfo *in_info,
                                                 const GstVideoInfo *out_info, GError **error);
void gst_pix2pix_translator_free(GstPix2pixTranslator *self); /* accepts NULL */

/** gst_pix2pix_translator_get_in_flight: How many frames may have been submitted and not received;
 * 1 where they are of no fixed rate: nobody knows when the next one comes. */
guint gst_pix2pix_translator_get_in_flight(const GstPix2pixTranslator *self);

/** gst_pix2pix_translator_submit: Returns when @in has been read. @times: (out): begun. Errors: those
 * of pix_session_submit(). */
gboolean gst_pix2pix_translator_submit(GstPix2pixTranslator *self, GstVideoFrame *in,
                                       GstPix2pixTimes *times, GError **error);

/** gst_pix2pix_translator_wants_source: Whether receiving a frame needs what it came from. */
gboolean gst_pix2pix_translator_wants_source(const GstPix2pixTranslator *self, double strength);

/**
 * gst_pix2pix_translator_receive:
 * Finishes the frame that was submitted first. @in: (nullable): what it was.  @strength: (0, 1].
 * @times: (inout): as it was begun. Errors: those of pix_session_receive(); @out is undefined then.
 */
gboolean gst_pix2pix_translator_receive(GstPix2pixTranslator *self, GstVideoFrame *in,
                                        GstVideoFrame *out, double strength, GstPix2pixTimes *times,
                                        GError **error);

/** gst_pix2pix_translator_discard: Forgets what was submitted. */
void gst_pix2pix_translator_discard(GstPix2pixTranslator *self);

/** gst_pix2pix_translator_convert: Brings one frame to the output's size and format only. */
void gst_pix2pix_translator_convert(GstPix2pixTranslator *self, GstVideoFrame *in,
                                    GstVideoFrame *out);

/** gst_pix2pix_translator_restart: The next frame is the first of a stream. */
void gst_pix2pix_translator_restart(GstPix2pixTranslator *self);

/** gst_pix2pix_translator_get_bytes: Memory in use, without the model's weights. */
guint64 gst_pix2pix_translator_get_bytes(const GstPix2pixTranslator *self);

/** gst_pix2pix_translator_get_model: (transfer none) */
PixModel *gst_pix2pix_translator_get_model(GstPix2pixTranslator *self);

/** gst_pix2pix_translator_get_size: Size of the network's input in pixels. */
void gst_pix2pix_translator_get_size(const GstPix2pixTranslator *self, int *width, int *height);

G_END_DECLS

#endif
