/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** The element `pix2pixfilter`; what its source files share. */
#ifndef GST_PIX2PIX_FILTER_H
#define GST_PIX2PIX_FILTER_H

#include <gst/video/gstvideofilter.h>

#include "gstpix2pixmessage.h"
#include "gstpix2pixtiming.h"
#include "gstpix2pixtranslator.h"

G_BEGIN_DECLS

#define GST_TYPE_PIX2PIX_FILTER (gst_pix2pix_filter_get_type())
G_DECLARE_FINAL_TYPE(GstPix2pixFilter, gst_pix2pix_filter, GST, PIX2PIX_FILTER, GstVideoFilter)
GST_ELEMENT_REGISTER_DECLARE(pix2pixfilter)

/** GST_PIX2PIX_MAX_IN_FLIGHT: frames that are translated at a time. */
#define GST_PIX2PIX_MAX_IN_FLIGHT 4

/** GstPix2pixFlight: a frame that has been submitted and not been received. */
typedef struct {
    GstBuffer *source; /* until the frame has come, for it may have to be done again */
    double strength;
    GstPix2pixTimes times;
    gint64 busy_us; /* the element's when it came */
} GstPix2pixFlight;

/**
 * GstPix2pixFilter:
 * The object lock guards all that is not marked otherwise. Models, translators and devices are
 * opened and freed outside of it.
 */
struct _GstPix2pixFilter {
    GstVideoFilter parent;

    /* the properties */
    char *model_name, *domain;
    char *device_spec; /* NULL: not set, so that the environment may choose */
    guint threads;
    PixPrecision precision;
    GstPix2pixSettings settings;
    double strength;
    gboolean enabled;

    PixDevice *device;  /* from READY to NULL */
    gint64 reopened_us; /* monotonic time; 0: it has not been lost */
    /* state changes only */
    char *opened_spec;
    guint opened_threads;

    /* what is in force, from start() to stop() */
    gboolean started;
    PixModel *model; /* NULL until start() has loaded it */
    char *model_in_use, *domain_in_use;
    PixPrecision precision_in_use; /* as it was asked for: @model tells what came of it */
    GstPix2pixSettings settings_in_use;
    gboolean have_infos;
    GstVideoInfo in_info, out_info;
    guint infos_serial; /* counts changes of these */
    /* used by the streaming thread without the lock */
    GstPix2pixTranslator *translator;
    double frame_strength; /* of the present frame; 0 for the source alone */
    GstPix2pixTiming timing;

    /* what is to come (gstpix2pixswap.c) */
    gboolean model_touched, settings_touched; /* set, but not yet passed on */
    gboolean reload;                          /* the model's file is to be read */
    guint wanted, built;                      /* requests made, and dealt with */
    gboolean quit;
    GThread *loader;
    GCond loader_cond;
    GMutex replacing;              /* of who replaces a device; taken without the lock */
    GstPix2pixTranslator *pending; /* takes over before the next frame */
    GstPix2pixTranslator *retired; /* for the loader to free */

    /* the streaming thread's own */
    GstPix2pixFlight flights[GST_PIX2PIX_MAX_IN_FLIGHT]; /* the oldest first */
    guint n_flights;
    gint64 busy_us;                 /* spent on all of them, waiting for the next not counted */
    guint hurry_frames, next_hurry; /* of gst_pix2pix_flights_hurry(); written with the lock */
    gboolean land_all;              /* upstream waits for what is in flight */
    guint promised;                 /* buffers that upstream was asked for; 0: it has not asked */
    GstFlowReturn drained;          /* what became of frames that could not wait for it */
    GstClockTime last_frame_out;    /* running time of the last frame not dropped */
};

GST_DEBUG_CATEGORY_EXTERN(gst_pix2pix_debug);

/* ---- gstpix2pixproperties.c ---- */

/** gst_pix2pix_properties_init: Gives @self the defaults. */
void gst_pix2pix_properties_init(GstPix2pixFilter *self);
/** gst_pix2pix_properties_class_init: Installs the properties, sets their functions. */
void gst_pix2pix_properties_class_init(GObjectClass *klass);

/* ---- gstpix2pixdevice.c ---- */

/** gst_pix2pix_device_open: As the properties say, unless it is open. Posts an error. */
gboolean gst_pix2pix_device_open(GstPix2pixFilter *self);
void gst_pix2pix_device_close(GstPix2pixFilter *self);

/**
 * gst_pix2pix_device_replace:
 * Loads a model on what may take the place of @failed for the reason of @error, and makes that the
 * element's device; posts a warning. A device that was lost is opened again, once in a minute;
 * otherwise it is the CPU, where pix_device_fallback() lets it. Any thread, without the lock.
 * @precision: as it was asked for; once frames have begun, AUTO for FP16 where the CPU has none.
 * Returns: (transfer full) (nullable): the model; @error is cleared then, and stays as it is otherwise.
 */
PixModel *gst_pix2pix_device_replace(GstPix2pixFilter *self, PixDevice *failed, GstPix2pixWhat what,
                                     const char *name, const char *domain, PixPrecision precision,
                                     GError **error);

/** gst_pix2pix_device_move: The same for the model in use, from the device of @failed. */
PixModel *gst_pix2pix_device_move(GstPix2pixFilter *self, PixModel *failed, GstPix2pixWhat what,
                                  GError **error);

/* ---- gstpix2pixswap.c: another model or other settings while frames flow ---- */

/** gst_pix2pix_swap_request: Passes touched properties on. Call without the lock, from any thread.
 */
void gst_pix2pix_swap_request(GstPix2pixFilter *self);

/** gst_pix2pix_swap_take: Lets what is pending take over. Streaming thread. */
void gst_pix2pix_swap_take(GstPix2pixFilter *self);

/** gst_pix2pix_swap_stop: Ends the loader; waits until it has. */
void gst_pix2pix_swap_stop(GstPix2pixFilter *self);

/* ---- gstpix2pixfilter.c ---- */

/** gst_pix2pix_filter_recover: Goes on with what may take the place of a device that failed. @error:
 * (inout): why; cleared if there is such. Streaming thread. */
gboolean gst_pix2pix_filter_recover(GstPix2pixFilter *self, GError **error);

/* ---- gstpix2pixflights.c: frames to the translator and back ---- */

/** gst_pix2pix_flights_class_init: Sets the class's functions for frames. */
void gst_pix2pix_flights_class_init(GstVideoFilterClass *klass);

/** gst_pix2pix_flights_drain: Pushes all that is in flight. Streaming thread. */
GstFlowReturn gst_pix2pix_flights_drain(GstPix2pixFilter *self);

/** gst_pix2pix_flights_discard: Forgets all that is in flight. Streaming thread, or when it has
 * stopped. */
void gst_pix2pix_flights_discard(GstPix2pixFilter *self);

/** gst_pix2pix_flights_hurry: A frame came too late. Where each takes longer than its time, it makes
 * them later that they wait for each other, and for some frames they no longer do: each time for
 * twice as many. */
void gst_pix2pix_flights_hurry(GstPix2pixFilter *self);

/** gst_pix2pix_flights_wait: Time that frames such as the present one wait for those behind them. Call
 * with the lock. */
GstClockTime gst_pix2pix_flights_wait(GstPix2pixFilter *self);

/* ---- gstpix2pixbuffers.c: allocation and metas ---- */

/** gst_pix2pix_buffers_ask: Has upstream ask again how many buffers it needs, if it needs more than it
 * was told. Streaming thread. */
void gst_pix2pix_buffers_ask(GstPix2pixFilter *self);

/** gst_pix2pix_buffers_class_init: Sets the class's functions for both. */
void gst_pix2pix_buffers_class_init(GstBaseTransformClass *klass);

G_END_DECLS

#endif
