/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstpix2pixtiming.h"

#include <string.h>

/* Sinks glitch when the latency is redistributed, so small changes are kept to ourselves ... */
#define LATENCY_STEP (2 * GST_MSECOND)
/* ... and it only goes down after so many frames have been faster. */
#define LATENCY_FRAMES 128

#define AVERAGE_FRAMES 8

void gst_pix2pix_timing_reset(GstPix2pixTiming *timing)
{
    memset(timing, 0, sizeof *timing);
}

static void average(double *mean, double value, guint64 frames)
{
    *mean += (value - *mean) / MIN(frames, AVERAGE_FRAMES);
}

static gboolean add_latency(GstPix2pixTiming *timing, GstClockTime duration)
{
    GstClockTime step = MAX(LATENCY_STEP, timing->latency / 10);
    gboolean changed;

    timing->worst = MAX(timing->worst, duration);
    timing->n_worst++;
    changed = duration > timing->latency + step;
    if (!changed && timing->n_worst < LATENCY_FRAMES)
        return FALSE;
    changed = changed || timing->worst + step < timing->latency;
    if (changed)
        timing->latency = timing->worst;
    timing->worst = 0;
    timing->n_worst = 0;
    return changed;
}

gboolean gst_pix2pix_timing_add(GstPix2pixTiming *timing, const GstPix2pixTimes *times,
                                GstClockTime duration, gint64 now_us)
{
    timing->frames++;
    average(&timing->average.convert_in_ms, times->convert_in_ms, timing->frames);
    average(&timing->average.network_ms, times->network_ms, timing->frames);
    average(&timing->average.convert_out_ms, times->convert_out_ms, timing->frames);

    if (timing->frames == 1) {
        timing->second_us = now_us;
    } else {
        gint64 elapsed_us = MAX(now_us - timing->second_us, 1);

        timing->second_frames++;
        if (elapsed_us >= G_USEC_PER_SEC || timing->frames <= AVERAGE_FRAMES)
            timing->fps = timing->second_frames * (double)G_USEC_PER_SEC / elapsed_us;
        if (elapsed_us >= G_USEC_PER_SEC) {
            timing->second_us = now_us;
            timing->second_frames = 0;
        }
    }
    return add_latency(timing, duration);
}

void gst_pix2pix_timing_expect(GstPix2pixTiming *timing, GstClockTime latency)
{
    timing->latency = latency;
    timing->worst = 0;
    timing->n_worst = 0;
}
