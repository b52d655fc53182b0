/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What a stream has cost so far: counts, averages for the `stats` property, and the latency that
 * the element reports. Thread-safety: none; the element's object lock guards it.
 */
#ifndef GST_PIX2PIX_TIMING_H
#define GST_PIX2PIX_TIMING_H

#include "gstpix2pixtranslator.h"

G_BEGIN_DECLS

typedef struct {
    guint64 frames, dropped;
    GstPix2pixTimes average; /* over about the last eight frames */
    double fps;              /* over about the last second */
    gint64 second_us;        /* when the second began */
    guint second_frames;

    GstClockTime latency; /* as reported */
    GstClockTime worst;   /* of the frames since it was last looked at */
    guint n_worst;
} GstPix2pixTiming;

/** gst_pix2pix_timing_reset: Forgets the stream. */
void gst_pix2pix_timing_reset(GstPix2pixTiming *timing);

/**
 * gst_pix2pix_timing_add:
 * Counts one frame. @times: where its time went.  @duration: all of it.  @now_us: monotonic time.
 *
 * Returns: whether the latency has become another one, which the pipeline should be told.
 */
gboolean gst_pix2pix_timing_add(GstPix2pixTiming *timing, const GstPix2pixTimes *times,
                                GstClockTime duration, gint64 now_us);

/** gst_pix2pix_timing_expect: That frames take so long from now on. */
void gst_pix2pix_timing_expect(GstPix2pixTiming *timing, GstClockTime latency);

G_END_DECLS

#endif
