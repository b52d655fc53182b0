/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Frames to the translator and back. One at a time, they are mapped and translated where the base
 * class wants it. With several in flight a frame is received, and gets its output buffer, when the
 * last one that may be ahead of it has been submitted. Until then its source is kept, in case that the
 * device fails and it has to be done again; where upstream's pool has not been asked for so many
 * buffers, only its times, flags and metas are.
 */
#include "gstpix2pixfilter.h"
#include "gstpix2pixframe.h"
#include "gstpix2pixmessage.h"

#define GST_CAT_DEFAULT gst_pix2pix_debug

/* Frames that do not wait for each other, the first time and at most. */
#define FIRST_HURRY 64
#define LAST_HURRY 8192

static GstBaseTransformClass *parent_class;

/* ---- maps ---- */

/* @what: (out): what does not fit where it fails. */
static gboolean map(GstBuffer *buffer, const GstVideoInfo *info, GstMapFlags access,
                    GstVideoFrame *frame, char **what)
{
    if (gst_pix2pix_frame_fits(buffer, info) &&
        gst_video_frame_map(frame, info, buffer, access | GST_VIDEO_FRAME_MAP_FLAG_NO_REF))
        return TRUE;
    *what = g_strdup_printf("%" G_GSIZE_FORMAT " bytes for %dx%d %s", gst_buffer_get_size(buffer),
                            GST_VIDEO_INFO_WIDTH(info), GST_VIDEO_INFO_HEIGHT(info),
                            GST_VIDEO_INFO_NAME(info));
    return FALSE;
}

static gboolean map_input(GstVideoFilter *filter, GstBuffer *buffer, GstVideoFrame *frame)
{
    g_autofree char *what = NULL;

    if (map(buffer, &filter->in_info, GST_MAP_READ, frame, &what))
        return TRUE;
    GST_ELEMENT_ERROR(filter, STREAM, FORMAT, ("A buffer is not a frame of its caps."),
                      ("%s", what));
    return FALSE;
}

static gboolean map_output(GstVideoFilter *filter, GstBuffer *buffer, GstVideoFrame *frame)
{
    g_autofree char *what = NULL;

    if (map(buffer, &filter->out_info, GST_MAP_WRITE, frame, &what))
        return TRUE;
    GST_ELEMENT_ERROR(filter, RESOURCE, WRITE, ("An output buffer cannot hold a frame."),
                      ("%s", what));
    return FALSE;
}

static GstFlowReturn prepare_output_buffer(GstBaseTransform *trans, GstBuffer *inbuf,
                                           GstBuffer **outbuf)
{
    GstVideoFilter *filter = GST_VIDEO_FILTER(trans);

    /* What holds no picture needs no buffer of its own. */
    if (GST_BUFFER_FLAG_IS_SET(inbuf, GST_BUFFER_FLAG_GAP) && filter->negotiated &&
        gst_video_info_is_equal(&filter->in_info, &filter->out_info)) {
        *outbuf = inbuf;
        return GST_FLOW_OK;
    }
    return parent_class->prepare_output_buffer(trans, inbuf, outbuf);
}

/* The parent class maps and calls transform_frame too, but lets frames that it cannot map through
 * unwritten. */
static GstFlowReturn transform(GstBaseTransform *trans, GstBuffer *inbuf, GstBuffer *outbuf)
{
    GstVideoFilter *filter = GST_VIDEO_FILTER(trans);
    GstVideoFrame in, out;
    GstFlowReturn result;

    if (inbuf == outbuf)
        return GST_FLOW_OK;
    if (!filter->negotiated || !GST_PIX2PIX_FILTER(filter)->translator)
        return GST_FLOW_NOT_NEGOTIATED;
    if (!map_input(filter, inbuf, &in))
        return GST_FLOW_ERROR;
    if (!map_output(filter, outbuf, &out)) {
        gst_video_frame_unmap(&in);
        return GST_FLOW_ERROR;
    }
    result = GST_VIDEO_FILTER_GET_CLASS(filter)->transform_frame(filter, &in, &out);
    gst_video_frame_unmap(&out);
    gst_video_frame_unmap(&in);
    return result;
}

/* ---- one frame ---- */

static GstFlowReturn post_failure(GstPix2pixFilter *self, const GError *error)
{
    gst_pix2pix_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, GST_PIX2PIX_WHAT_FRAME,
                     self->model_in_use, error);
    return GST_FLOW_ERROR;
}

/* 0 where it is not known, and frames do not wait for each other. */
static GstClockTime frame_duration(GstPix2pixFilter *self)
{
    const GstVideoInfo *info = &self->in_info;

    if (GST_VIDEO_INFO_FPS_N(info) <= 0)
        return 0;
    return gst_util_uint64_scale(GST_SECOND, GST_VIDEO_INFO_FPS_D(info),
                                 GST_VIDEO_INFO_FPS_N(info));
}

static void count_frame(GstPix2pixFilter *self, const GstPix2pixTimes *times, gint64 busy_us)
{
    gboolean new_latency;

    GST_OBJECT_LOCK(self);
    new_latency =
        gst_pix2pix_timing_add(&self->timing, times, busy_us * GST_USECOND, g_get_monotonic_time());
    if (self->hurry_frames > 0 && --self->hurry_frames == 0)
        new_latency = TRUE;
    GST_OBJECT_UNLOCK(self);
    if (new_latency) {
        GST_DEBUG_OBJECT(self, "latency is %" GST_TIME_FORMAT " now",
                         GST_TIME_ARGS(self->timing.latency));
        gst_element_post_message(GST_ELEMENT(self), gst_message_new_latency(GST_OBJECT(self)));
    }
    GST_LOG_OBJECT(self, "in %.2f ms, network %.2f ms, out %.2f ms", times->convert_in_ms,
                   times->network_ms, times->convert_out_ms);
}

static gboolean translate(GstPix2pixFilter *self, GstVideoFrame *in, GstVideoFrame *out,
                          GstPix2pixTimes *times, GError **error)
{
    return gst_pix2pix_translator_submit(self->translator, in, times, error) &&
           gst_pix2pix_translator_receive(self->translator, in, out, self->frame_strength, times,
                                          error);
}

/* Once more, on whatever may take the place of a device that fails. */
static GstFlowReturn transform_frame(GstVideoFilter *filter, GstVideoFrame *in, GstVideoFrame *out)
{
    GstPix2pixFilter *self = GST_PIX2PIX_FILTER(filter);
    gint64 started_us = g_get_monotonic_time();
    g_autoptr(GError) error = NULL;
    GstPix2pixTimes times;
    gboolean done;

    if (self->frame_strength <= 0 || GST_BUFFER_FLAG_IS_SET(in->buffer, GST_BUFFER_FLAG_GAP)) {
        gst_pix2pix_translator_convert(self->translator, in, out);
        return GST_FLOW_OK;
    }
    while (!(done = translate(self, in, out, &times, &error)) &&
           gst_pix2pix_filter_recover(self, &error))
        started_us = g_get_monotonic_time(); /* it is no frame's time */
    if (!done)
        return post_failure(self, error);
    count_frame(self, &times, g_get_monotonic_time() - started_us);
    return GST_FLOW_OK;
}

/* ---- several in flight ---- */

static void set_strength(GstPix2pixFilter *self, gdouble strength)
{
    GST_OBJECT_LOCK(self);
    self->frame_strength = strength;
    GST_OBJECT_UNLOCK(self);
}

/* One frame from beginning to end. */
static GstFlowReturn redo(GstPix2pixFilter *self, const GstPix2pixFlight *flight)
{
    GstBaseTransform *trans = GST_BASE_TRANSFORM(self);
    gdouble strength = self->frame_strength;
    GstBuffer *outbuf = NULL;
    GstFlowReturn result =
        GST_BASE_TRANSFORM_GET_CLASS(self)->prepare_output_buffer(trans, flight->source, &outbuf);

    if (result != GST_FLOW_OK)
        return result;
    set_strength(self, flight->strength);
    result = transform(trans, flight->source, outbuf);
    set_strength(self, strength);
    if (result == GST_FLOW_OK)
        return gst_pad_push(GST_BASE_TRANSFORM_SRC_PAD(self), outbuf);
    gst_buffer_unref(outbuf);
    return result;
}

/* What was in flight is lost with the device, and where it is still here, done again by what takes
 * its place. */
static GstFlowReturn give_up(GstPix2pixFilter *self, GError *error)
{
    GstBaseTransform *trans = GST_BASE_TRANSFORM(self);
    g_autoptr(GError) reason = g_error_copy(error);
    GstPix2pixFlight lost[GST_PIX2PIX_MAX_IN_FLIGHT];
    GstFlowReturn result = GST_FLOW_OK;
    guint n_lost = self->n_flights;

    memcpy(lost, self->flights, sizeof lost);
    if (n_lost > 0)
        gst_pix2pix_translator_discard(self->translator);
    self->n_flights = 0;
    if (!gst_pix2pix_filter_recover(self, &reason))
        result = post_failure(self, reason);
    for (guint i = 0; i < n_lost; i++) {
        if (result == GST_FLOW_OK && gst_buffer_n_memory(lost[i].source) > 0) {
            result = redo(self, &lost[i]);
        } else if (result == GST_FLOW_OK && trans->queued_buf) {
            trans->queued_buf = gst_buffer_make_writable(trans->queued_buf);
            GST_BUFFER_FLAG_SET(trans->queued_buf, GST_BUFFER_FLAG_DISCONT);
        }
        gst_buffer_unref(lost[i].source);
    }
    return result == GST_FLOW_OK ? GST_BASE_TRANSFORM_FLOW_DROPPED : result;
}

/* Others are done where they stand, when nothing is ahead of them. */
static gboolean flies(GstPix2pixFilter *self, GstBuffer *buffer)
{
    return self->translator && GST_VIDEO_FILTER(self)->negotiated &&
           gst_pix2pix_translator_get_in_flight(self->translator) > 1 && self->frame_strength > 0 &&
           !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP);
}

/* What the output buffer will want to know of @buffer. */
static GstBuffer *without_memory(GstBuffer *buffer)
{
    GstBuffer *result = gst_buffer_new();
    GstParentBufferMeta *parent;

    gst_buffer_copy_into(result, buffer,
                         GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS | GST_BUFFER_COPY_META,
                         0, -1);
    while ((parent = gst_buffer_get_parent_buffer_meta(result))) /* which has the memory */
        gst_buffer_remove_meta(result, &parent->parent);
    return result;
}

/* Whether upstream goes on without @buffer: it may have no other. */
static gboolean can_keep(const GstPix2pixFilter *self, const GstBuffer *buffer)
{
    return !buffer->pool ||
           self->promised >= gst_pix2pix_translator_get_in_flight(self->translator);
}

/* Takes @buffer, which is kept for the frame's end and for the case that it has to be done again. */
static void note_flight(GstPix2pixFilter *self, GstBuffer *buffer, gint64 started_us)
{
    GstPix2pixFlight *flight = &self->flights[self->n_flights++];
    gboolean wanted = gst_pix2pix_translator_wants_source(self->translator, self->frame_strength);
    gboolean keep = can_keep(self, buffer);

    flight->strength = self->frame_strength;
    flight->source = keep || wanted ? gst_buffer_ref(buffer) : without_memory(buffer);
    self->land_all = wanted && !keep;
    gst_buffer_unref(buffer);
    flight->busy_us = self->busy_us;
    self->busy_us += g_get_monotonic_time() - started_us;
}

/* Where something has taken the device's place, the buffer is still queued. */
static GstFlowReturn take_off(GstPix2pixFilter *self)
{
    GstBaseTransform *trans = GST_BASE_TRANSFORM(self);
    gint64 started_us = g_get_monotonic_time();
    g_autoptr(GError) error = NULL;
    GstVideoFrame in;
    gboolean done;

    if (!map_input(GST_VIDEO_FILTER(self), trans->queued_buf, &in))
        return GST_FLOW_ERROR;
    done = gst_pix2pix_translator_submit(self->translator, &in,
                                         &self->flights[self->n_flights].times, &error);
    gst_video_frame_unmap(&in);
    if (done)
        note_flight(self, g_steal_pointer(&trans->queued_buf), started_us);
    else
        return give_up(self, error);
    return GST_FLOW_OK;
}

/* Returns: GST_BASE_TRANSFORM_FLOW_DROPPED: the device failed, as @error says. */
static GstFlowReturn receive(GstPix2pixFilter *self, GstPix2pixFlight *flight, GstBuffer *outbuf,
                             GError **error)
{
    GstVideoFilter *filter = GST_VIDEO_FILTER(self);
    gboolean mapped = gst_pix2pix_translator_wants_source(self->translator, flight->strength);
    GstVideoFrame in, out;
    gboolean done;

    if (!map_output(filter, outbuf, &out))
        return GST_FLOW_ERROR;
    if (mapped && !map_input(filter, flight->source, &in)) {
        gst_video_frame_unmap(&out);
        return GST_FLOW_ERROR;
    }
    done = gst_pix2pix_translator_receive(self->translator, mapped ? &in : NULL, &out,
                                          flight->strength, &flight->times, error);
    if (mapped)
        gst_video_frame_unmap(&in);
    gst_video_frame_unmap(&out);
    return done ? GST_FLOW_OK : GST_BASE_TRANSFORM_FLOW_DROPPED;
}

/* The oldest flight becomes @outbuf. Where it cannot, none of them does. */
static GstFlowReturn land(GstPix2pixFilter *self, GstBuffer **outbuf)
{
    GstPix2pixFlight flight = self->flights[0];
    gint64 started_us = g_get_monotonic_time();
    g_autoptr(GError) error = NULL;
    GstFlowReturn result = GST_BASE_TRANSFORM_GET_CLASS(self)->prepare_output_buffer(
        GST_BASE_TRANSFORM(self), flight.source, outbuf);

    if (result == GST_FLOW_OK)
        result = receive(self, &flight, *outbuf, &error);
    if (result != GST_FLOW_OK)
        gst_clear_buffer(outbuf); /* there may be no other */
    if (error)
        return give_up(self, error);
    if (result != GST_FLOW_OK) {
        gst_pix2pix_flights_discard(self);
        return result;
    }
    gst_buffer_unref(flight.source);
    self->n_flights--;
    for (guint i = 0; i < self->n_flights; i++)
        self->flights[i] = self->flights[i + 1];
    self->busy_us += g_get_monotonic_time() - started_us;
    count_frame(self, &flight.times, self->busy_us - flight.busy_us);
    return GST_FLOW_OK;
}

/* The base class calls this until nothing comes. */
static GstFlowReturn generate_output(GstBaseTransform *trans, GstBuffer **outbuf)
{
    GstPix2pixFilter *self = GST_PIX2PIX_FILTER(trans);
    GstFlowReturn result = GST_FLOW_OK;
    guint waiting = 0;

    *outbuf = NULL;
    if (trans->queued_buf && flies(self, trans->queued_buf))
        result = take_off(self);
    if (!trans->queued_buf && self->n_flights > 0 && !self->land_all && self->hurry_frames == 0)
        waiting = gst_pix2pix_translator_get_in_flight(self->translator) - 1;
    if (result == GST_FLOW_OK && self->n_flights > waiting)
        result = land(self, outbuf);
    if (result != GST_FLOW_OK && result != GST_BASE_TRANSFORM_FLOW_DROPPED)
        gst_clear_buffer(&trans->queued_buf);
    if (*outbuf || !trans->queued_buf)
        return result;
    return parent_class->generate_output(trans, outbuf);
}

GstFlowReturn gst_pix2pix_flights_drain(GstPix2pixFilter *self)
{
    GstFlowReturn result = GST_FLOW_OK;

    while (self->n_flights > 0 && result == GST_FLOW_OK) {
        GstBuffer *buffer = NULL;

        result = land(self, &buffer);
        if (buffer)
            result = gst_pad_push(GST_BASE_TRANSFORM_SRC_PAD(self), buffer);
    }
    gst_pix2pix_flights_discard(self);
    return result == GST_BASE_TRANSFORM_FLOW_DROPPED ? GST_FLOW_OK : result;
}

void gst_pix2pix_flights_discard(GstPix2pixFilter *self)
{
    if (self->n_flights > 0)
        gst_pix2pix_translator_discard(self->translator);
    while (self->n_flights > 0)
        gst_buffer_unref(self->flights[--self->n_flights].source);
}

void gst_pix2pix_flights_hurry(GstPix2pixFilter *self)
{
    guint in_flight = self->translator ? gst_pix2pix_translator_get_in_flight(self->translator) : 1;
    GstPix2pixTiming *timing = &self->timing;

    GST_OBJECT_LOCK(self);
    if (self->hurry_frames > 0 || in_flight == 1 ||
        timing->latency / in_flight <= frame_duration(self)) {
        GST_OBJECT_UNLOCK(self);
        return;
    }
    self->hurry_frames = self->next_hurry = CLAMP(2 * self->next_hurry, FIRST_HURRY, LAST_HURRY);
    gst_pix2pix_timing_expect(timing, timing->latency / in_flight);
    GST_OBJECT_UNLOCK(self);
    gst_element_post_message(GST_ELEMENT(self), gst_message_new_latency(GST_OBJECT(self)));
}

GstClockTime gst_pix2pix_flights_wait(GstPix2pixFilter *self)
{
    if (!self->translator || self->frame_strength <= 0 || self->hurry_frames > 0)
        return 0;
    return (gst_pix2pix_translator_get_in_flight(self->translator) - 1) * frame_duration(self);
}

/* ---- the class ---- */

void gst_pix2pix_flights_class_init(GstVideoFilterClass *klass)
{
    GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS(klass);

    parent_class = g_type_class_peek_parent(klass);
    trans_class->generate_output = GST_DEBUG_FUNCPTR(generate_output);
    trans_class->prepare_output_buffer = GST_DEBUG_FUNCPTR(prepare_output_buffer);
    trans_class->transform = GST_DEBUG_FUNCPTR(transform);
    klass->transform_frame = GST_DEBUG_FUNCPTR(transform_frame);
}
