/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-pix2pixfilter
 * @title: pix2pixfilter
 *
 * Translates every frame with a generator of pix2pix (a U-Net) or CycleGAN (a ResNet): label maps
 * become facades, horses become zebras. Frames come out in the size and format in which they went
 * in, unless downstream wants others; alpha is kept.
 *
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=100 ! pix2pixfilter ! videoconvert ! autovideosink
 * ]|
 *
 * The checkpoint is read when the element goes to PAUSED. #GstPix2pixFilter:model and what says how
 * a network runs may be set while PLAYING: the new network is made ready beside the old one and
 * takes over between two frames. One that cannot be made ready is reported by a warning message,
 * and the old one goes on.
 *
 * Where no device is named, #GstPix2pixFilter:device, the best GPU is used; should it fail at any
 * time, the CPU takes over with a warning message. A device that was named is used or the stream ends
 * with an error. One that is lost is opened again first, with a warning, once in a minute, and
 * does again what it had in flight.
 *
 * Late frames are dropped before they cost anything (see #GstBaseTransform:qos), though not all of
 * one second. The time that frames take is measured and reported as latency. On a GPU a frame comes
 * out when the next one has gone in (see #GstPix2pixFilter:in-flight), which is reported too. Buffers
 * marked as gap are not translated. Interlaced video and several views in one frame are refused.
 *
 * Errors are those of gstpix2pixmessage.h, of which the usual ones are RESOURCE/NOT_FOUND for a
 * missing model and STREAM/WRONG_TYPE for a file that holds none.
 */
#include "gstpix2pixfilter.h"

#include <gst/video/navigation.h>

#include "gstpix2pixcaps.h"
#include "gstpix2pixmessage.h"

GST_DEBUG_CATEGORY(gst_pix2pix_debug);
#define GST_CAT_DEFAULT gst_pix2pix_debug

/* However late everything is, one frame in so much time is translated. */
#define LONGEST_DROUGHT GST_SECOND

G_DEFINE_TYPE(GstPix2pixFilter, gst_pix2pix_filter, GST_TYPE_VIDEO_FILTER)
GST_ELEMENT_REGISTER_DEFINE(pix2pixfilter, "pix2pixfilter", GST_RANK_NONE, GST_TYPE_PIX2PIX_FILTER)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_PIX2PIX_CAPS));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_PIX2PIX_CAPS));

/* ---- states ---- */

static gboolean stop(GstBaseTransform *trans)
{
    GstPix2pixFilter *self = GST_PIX2PIX_FILTER(trans);
    GstPix2pixTranslator *translator;
    PixModel *model;

    gst_pix2pix_swap_stop(self);
    gst_pix2pix_flights_discard(self);
    self->drained = GST_FLOW_OK;
    self->last_frame_out = GST_CLOCK_TIME_NONE;
    GST_OBJECT_LOCK(self);
    translator = g_steal_pointer(&self->translator);
    model = g_steal_pointer(&self->model);
    g_clear_pointer(&self->model_in_use, g_free);
    g_clear_pointer(&self->domain_in_use, g_free);
    self->have_infos = FALSE;
    gst_pix2pix_timing_reset(&self->timing);
    self->hurry_frames = self->next_hurry = self->promised = 0;
    GST_OBJECT_UNLOCK(self);
    gst_pix2pix_translator_free(translator);
    pix_model_unref(model);
    gst_base_transform_set_passthrough(trans, FALSE);
    return TRUE;
}

static gboolean start(GstBaseTransform *trans)
{
    GstPix2pixFilter *self = GST_PIX2PIX_FILTER(trans);
    GstPix2pixWhat what = GST_PIX2PIX_WHAT_LOAD;
    g_autofree char *name = NULL, *domain = NULL;
    g_autoptr(PixModel) model = NULL;
    g_autoptr(GError) error = NULL;
    PixPrecision precision;
    GstPix2pixSettings settings;

    if (!gst_pix2pix_device_open(self)) /* device or threads may have been set in READY */
        return FALSE;

    GST_OBJECT_LOCK(self);
    self->started = TRUE;
    self->model_touched = self->settings_touched = FALSE;
    name = g_strdup(self->model_name);
    domain = g_strdup(self->domain);
    precision = self->precision;
    settings = self->settings;
    GST_OBJECT_UNLOCK(self);

    model = pix_model_load(self->device, name, domain, precision, &error);
    if (!model)
        model =
            gst_pix2pix_device_replace(self, self->device, what, name, domain, precision, &error);
    if (!model || !gst_pix2pix_model_check(model, &error))
        goto fail;
    what = GST_PIX2PIX_WHAT_CONFIGURE;
    if (!gst_pix2pix_settings_check(model, &settings, &error))
        goto fail;
    GST_INFO_OBJECT(self, "loaded \"%s\": %s", name, pix_model_get_info(model)->architecture);

    GST_OBJECT_LOCK(self);
    self->model = g_steal_pointer(&model);
    self->model_in_use = g_steal_pointer(&name);
    self->domain_in_use = g_steal_pointer(&domain);
    self->precision_in_use = precision;
    self->settings_in_use = settings;
    g_cond_signal(&self->loader_cond);
    GST_OBJECT_UNLOCK(self);
    return TRUE;

fail:
    gst_pix2pix_swap_stop(self);
    gst_pix2pix_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, what, name, error);
    return FALSE;
}

static GstStateChangeReturn change_state(GstElement *element, GstStateChange transition)
{
    GstPix2pixFilter *self = GST_PIX2PIX_FILTER(element);
    GstStateChangeReturn result;

    if (transition == GST_STATE_CHANGE_NULL_TO_READY && !gst_pix2pix_device_open(self))
        return GST_STATE_CHANGE_FAILURE;
    result = GST_ELEMENT_CLASS(gst_pix2pix_filter_parent_class)->change_state(element, transition);
    if (transition == GST_STATE_CHANGE_READY_TO_NULL)
        gst_pix2pix_device_close(self);
    return result;
}

/* ---- caps ---- */

static GstCaps *transform_caps(GstBaseTransform *trans, GstPadDirection direction, GstCaps *caps,
                               GstCaps *filter)
{
    GstPad *other = direction == GST_PAD_SINK ? trans->srcpad : trans->sinkpad;
    GstCaps *templ = gst_pad_get_pad_template_caps(other);
    GstCaps *result = gst_pix2pix_caps_transform(caps, templ, filter);

    gst_caps_unref(templ);
    return result;
}

static GstCaps *fixate_caps(GstBaseTransform *trans, GstPadDirection direction, GstCaps *caps,
                            GstCaps *othercaps)
{
    GstCaps *result = gst_pix2pix_caps_fixate(caps, othercaps);

    GST_DEBUG_OBJECT(trans, "%" GST_PTR_FORMAT " goes with %" GST_PTR_FORMAT, caps, result);
    return result;
}

/* Whether the network can be made for frames of these caps. */
static gboolean model_accepts(GstPix2pixFilter *self, GstCaps *caps, GError **error)
{
    g_autoptr(PixModel) model = NULL;
    GstPix2pixFit fit;
    GstVideoInfo info;
    PixRect content;
    int width, height;

    GST_OBJECT_LOCK(self);
    model = self->model ? pix_model_ref(self->model) : NULL;
    fit = model ? self->settings_in_use.fit : self->settings.fit;
    GST_OBJECT_UNLOCK(self);
    if (!model || !gst_caps_is_fixed(caps))
        return TRUE;
    return gst_video_info_from_caps(&info, caps) &&
           gst_pix2pix_network_size(model, fit, &info, &width, &height, &content, error);
}

static gboolean accept_caps(GstBaseTransform *trans, GstPadDirection direction, GstCaps *caps)
{
    g_autoptr(GError) error = NULL;
    const char *refusal;

    if (gst_caps_get_size(caps) > 0 && (refusal = gst_pix2pix_caps_refusal(caps))) {
        GST_WARNING_OBJECT(trans, "cannot translate %s", refusal);
        return FALSE;
    }
    if (!GST_BASE_TRANSFORM_CLASS(gst_pix2pix_filter_parent_class)
             ->accept_caps(trans, direction, caps)) {
        GST_INFO_OBJECT(trans, "no size or format to translate: %" GST_PTR_FORMAT, caps);
        return FALSE;
    }
    if (direction == GST_PAD_SINK && !model_accepts(GST_PIX2PIX_FILTER(trans), caps, &error)) {
        GST_WARNING_OBJECT(trans, "%s", error ? error->message : "no such frames");
        return FALSE;
    }
    return TRUE;
}

/* Before things change under the frames in flight; submit_input_buffer() tells what came of it. */
static void drain(GstPix2pixFilter *self)
{
    GstFlowReturn result = gst_pix2pix_flights_drain(self);

    if (result != GST_FLOW_OK)
        self->drained = result;
}

/* What frames are late by. */
static GstClockTime own_latency(GstPix2pixFilter *self)
{
    GstClockTime latency;

    if (gst_base_transform_is_passthrough(GST_BASE_TRANSFORM(self)))
        return 0;
    GST_OBJECT_LOCK(self);
    latency = self->timing.latency + gst_pix2pix_flights_wait(self);
    GST_OBJECT_UNLOCK(self);
    return latency;
}

/* After what may have changed it. @before: what it was. */
static void tell_latency(GstPix2pixFilter *self, GstClockTime before)
{
    if (own_latency(self) != before)
        gst_element_post_message(GST_ELEMENT(self), gst_message_new_latency(GST_OBJECT(self)));
}

/* Hands frames on untouched where the network has no part in them and nobody wants another caps.
 * Streaming thread. */
static void update_passthrough(GstPix2pixFilter *self)
{
    GstBaseTransform *trans = GST_BASE_TRANSFORM(self);
    gboolean wanted =
        self->frame_strength <= 0 && gst_video_info_is_equal(&self->in_info, &self->out_info);

    if (wanted == gst_base_transform_is_passthrough(trans))
        return;
    drain(self);
    GST_DEBUG_OBJECT(self, "passthrough: %d", wanted);
    gst_base_transform_set_passthrough(trans, wanted);
    gst_base_transform_reconfigure_src(trans); /* there was no pool, or is no need of one */
    if (!wanted)
        gst_pix2pix_buffers_ask(self);
}

/* For the present caps. */
static GstPix2pixTranslator *make_translator(GstPix2pixFilter *self, PixModel *model,
                                             GError **error)
{
    GstPix2pixSettings settings;
    GstVideoInfo in_info, out_info;
    guint threads;

    GST_OBJECT_LOCK(self);
    settings = self->settings_in_use;
    threads = self->opened_threads;
    in_info = self->in_info;
    out_info = self->out_info;
    GST_OBJECT_UNLOCK(self);
    return gst_pix2pix_translator_new(model, &settings, threads, &in_info, &out_info, error);
}

/* Lets go of what translates on @failed, so that what takes its place finds memory free. */
static void forget_translators(GstPix2pixFilter *self, PixDevice *failed)
{
    GstPix2pixTranslator *translator, *pending = NULL;

    GST_OBJECT_LOCK(self);
    translator = g_steal_pointer(&self->translator);
    if (self->pending &&
        pix_model_get_device(gst_pix2pix_translator_get_model(self->pending)) == failed)
        pending = g_steal_pointer(&self->pending);
    GST_OBJECT_UNLOCK(self);
    gst_pix2pix_translator_free(translator);
    gst_pix2pix_translator_free(pending);
}

/* @model takes the place of @before, where the loader has not come first. */
static void set_model(GstPix2pixFilter *self, PixModel *before, PixModel *model)
{
    PixModel *old = NULL;

    GST_OBJECT_LOCK(self);
    if (self->model == before) {
        old = self->model;
        self->model = pix_model_ref(model);
    }
    GST_OBJECT_UNLOCK(self);
    pix_model_unref(old);
}

/* On what takes the place of the device of @failed, for the reason of @error. */
static GstPix2pixTranslator *remake_translator(GstPix2pixFilter *self, PixModel *failed,
                                               GstPix2pixWhat what, GError **error)
{
    g_autoptr(PixModel) model = pix_model_ref(failed);
    GstPix2pixTranslator *translator = NULL;

    forget_translators(self, pix_model_get_device(failed));
    while (!translator) {
        PixModel *next = gst_pix2pix_device_move(self, model, what, error);

        if (!next)
            return NULL;
        set_model(self, model, next);
        pix_model_unref(model);
        model = next;
        translator = make_translator(self, model, error);
    }
    return translator;
}

gboolean gst_pix2pix_filter_recover(GstPix2pixFilter *self, GError **error)
{
    GstClockTime latency = own_latency(self);
    g_autoptr(PixModel) failed = pix_model_ref(gst_pix2pix_translator_get_model(self->translator));
    GstPix2pixTranslator *translator =
        remake_translator(self, failed, GST_PIX2PIX_WHAT_FRAME, error);

    if (!translator)
        return FALSE;
    GST_OBJECT_LOCK(self);
    self->translator = translator;
    GST_OBJECT_UNLOCK(self);
    gst_pix2pix_buffers_ask(self);
    tell_latency(self, latency);
    return TRUE;
}

static gboolean set_info(GstVideoFilter *filter, GstCaps *in_caps, GstVideoInfo *in_info,
                         GstCaps *out_caps, GstVideoInfo *out_info)
{
    GstPix2pixFilter *self = GST_PIX2PIX_FILTER(filter);
    GstClockTime latency = own_latency(self);
    GstPix2pixTranslator *translator, *pending;
    g_autofree char *name = NULL;
    g_autoptr(PixModel) model = NULL;
    g_autoptr(GError) error = NULL;

    drain(self);
    GST_OBJECT_LOCK(self);
    translator = g_steal_pointer(&self->translator);
    pending = g_steal_pointer(&self->pending);
    self->in_info = *in_info;
    self->out_info = *out_info;
    self->infos_serial++;
    self->have_infos = TRUE;
    self->frame_strength = self->enabled ? self->strength : 0;
    model = self->model ? pix_model_ref(self->model) : NULL;
    name = g_strdup(self->model_in_use);
    GST_OBJECT_UNLOCK(self);
    gst_pix2pix_translator_free(translator); /* before the next one takes its memory */
    gst_pix2pix_translator_free(pending);
    if (!model)
        return FALSE;

    translator = make_translator(self, model, &error);
    if (!translator)
        translator = remake_translator(self, model, GST_PIX2PIX_WHAT_CONFIGURE, &error);
    GST_OBJECT_LOCK(self);
    self->translator = translator;
    self->have_infos = translator != NULL;
    GST_OBJECT_UNLOCK(self);
    if (!translator) {
        gst_pix2pix_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, GST_PIX2PIX_WHAT_CONFIGURE, name,
                         error);
        return FALSE;
    }
    update_passthrough(self);
    tell_latency(self, latency);
    return TRUE;
}

/* ---- frames ---- */

static void before_transform(GstBaseTransform *trans, GstBuffer *buffer)
{
    GstPix2pixFilter *self = GST_PIX2PIX_FILTER(trans);
    GstClockTime stream_time = GST_CLOCK_TIME_NONE, latency = own_latency(self);
    gboolean swap;

    if (trans->segment.format == GST_FORMAT_TIME)
        stream_time =
            gst_segment_to_stream_time(&trans->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    if (GST_CLOCK_TIME_IS_VALID(stream_time))
        gst_object_sync_values(GST_OBJECT(self), stream_time);
    GST_OBJECT_LOCK(self);
    swap = self->pending != NULL;
    GST_OBJECT_UNLOCK(self);
    if (swap) {
        drain(self);
        gst_pix2pix_swap_take(self);
        gst_pix2pix_buffers_ask(self);
    }

    GST_OBJECT_LOCK(self);
    self->frame_strength = self->enabled ? self->strength : 0;
    GST_OBJECT_UNLOCK(self);
    if (GST_VIDEO_FILTER(self)->negotiated)
        update_passthrough(self);
    tell_latency(self, latency);
}

static GstFlowReturn submit_input_buffer(GstBaseTransform *trans, gboolean discont,
                                         GstBuffer *buffer)
{
    GstPix2pixFilter *self = GST_PIX2PIX_FILTER(trans);
    GstClockTime running_time = GST_CLOCK_TIME_NONE;
    GstFlowReturn result = self->drained;

    self->drained = GST_FLOW_OK;
    if (result != GST_FLOW_OK) {
        gst_buffer_unref(buffer);
        return result;
    }
    if (trans->segment.format == GST_FORMAT_TIME)
        running_time =
            gst_segment_to_running_time(&trans->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    if (GST_CLOCK_TIME_IS_VALID(running_time) && GST_CLOCK_TIME_IS_VALID(self->last_frame_out) &&
        running_time >= self->last_frame_out + LONGEST_DROUGHT)
        gst_base_transform_update_qos(trans, 1.0, 0, 0);

    result = GST_BASE_TRANSFORM_CLASS(gst_pix2pix_filter_parent_class)
                 ->submit_input_buffer(trans, discont, buffer);
    if (result == GST_BASE_TRANSFORM_FLOW_DROPPED) {
        GST_OBJECT_LOCK(self);
        self->timing.dropped++;
        GST_OBJECT_UNLOCK(self);
        drain(self); /* those ahead of it have waited for it as long as for one that goes in */
        gst_pix2pix_flights_hurry(self);
    }
    if (result == GST_FLOW_OK || !GST_CLOCK_TIME_IS_VALID(self->last_frame_out))
        self->last_frame_out = running_time;
    return result;
}

/* ---- events and queries ---- */

static gboolean sink_event(GstBaseTransform *trans, GstEvent *event)
{
    GstPix2pixFilter *self = GST_PIX2PIX_FILTER(trans);

    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP) {
        gst_pix2pix_flights_discard(self);
        self->drained = GST_FLOW_OK;
    } else if (GST_EVENT_IS_SERIALIZED(event)) {
        gst_pix2pix_flights_drain(self); /* what came before it, leaves before it */
    }

    if (GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START ||
        GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP) {
        self->last_frame_out = GST_CLOCK_TIME_NONE;
        if (self->translator)
            gst_pix2pix_translator_restart(self->translator);
    } else if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) {
        self->last_frame_out = GST_CLOCK_TIME_NONE; /* running time may go another way */
    }
    return GST_BASE_TRANSFORM_CLASS(gst_pix2pix_filter_parent_class)->sink_event(trans, event);
}

static gboolean src_event(GstBaseTransform *trans, GstEvent *event)
{
    GstVideoFilter *filter = GST_VIDEO_FILTER(trans);
    double x, y;

    if (GST_EVENT_TYPE(event) == GST_EVENT_NAVIGATION && filter->negotiated &&
        gst_navigation_event_get_coordinates(event, &x, &y)) {
        x *= (double)GST_VIDEO_INFO_WIDTH(&filter->in_info) /
             GST_VIDEO_INFO_WIDTH(&filter->out_info);
        y *= (double)GST_VIDEO_INFO_HEIGHT(&filter->in_info) /
             GST_VIDEO_INFO_HEIGHT(&filter->out_info);
        event = gst_event_make_writable(event);
        gst_navigation_event_set_coordinates(event, x, y);
    }
    return GST_BASE_TRANSFORM_CLASS(gst_pix2pix_filter_parent_class)->src_event(trans, event);
}

static gboolean handle_query(GstBaseTransform *trans, GstPadDirection direction, GstQuery *query)
{
    GstPix2pixFilter *self = GST_PIX2PIX_FILTER(trans);
    GstClockTime min, max, own;
    gboolean live;

    if (direction == GST_PAD_SINK && GST_QUERY_IS_SERIALIZED(query))
        gst_pix2pix_flights_drain(self);
    if (!GST_BASE_TRANSFORM_CLASS(gst_pix2pix_filter_parent_class)->query(trans, direction, query))
        return FALSE;
    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY || direction != GST_PAD_SRC)
        return TRUE;

    own = own_latency(self);
    gst_query_parse_latency(query, &live, &min, &max);
    min = (GST_CLOCK_TIME_IS_VALID(min) ? min : 0) + own;
    if (GST_CLOCK_TIME_IS_VALID(max))
        max += own;
    gst_query_set_latency(query, live, min, max);
    return TRUE;
}

/* ---- the class ---- */

static void finalize(GObject *object)
{
    GstPix2pixFilter *self = GST_PIX2PIX_FILTER(object);

    pix_device_unref(self->device);
    g_free(self->opened_spec);
    g_free(self->device_spec);
    g_free(self->domain);
    g_free(self->model_name);
    g_cond_clear(&self->loader_cond);
    g_mutex_clear(&self->replacing);
    G_OBJECT_CLASS(gst_pix2pix_filter_parent_class)->finalize(object);
}

static void gst_pix2pix_filter_init(GstPix2pixFilter *self)
{
    g_cond_init(&self->loader_cond);
    g_mutex_init(&self->replacing);
    gst_pix2pix_properties_init(self);
    self->last_frame_out = GST_CLOCK_TIME_NONE;
    gst_base_transform_set_gap_aware(GST_BASE_TRANSFORM(self), TRUE);
}

static void gst_pix2pix_filter_class_init(GstPix2pixFilterClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS(klass);
    GstVideoFilterClass *filter_class = GST_VIDEO_FILTER_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(gst_pix2pix_debug, "pix2pix", 0, "image-to-image translation");

    object_class->finalize = finalize;
    gst_pix2pix_properties_class_init(object_class);

    element_class->change_state = GST_DEBUG_FUNCPTR(change_state);
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(
        element_class, "Image-to-image translation", "Filter/Effect/Video",
        "Translates video frames with a pix2pix or CycleGAN generator", "The libpix2pix authors");

    trans_class->start = GST_DEBUG_FUNCPTR(start);
    trans_class->stop = GST_DEBUG_FUNCPTR(stop);
    trans_class->transform_caps = GST_DEBUG_FUNCPTR(transform_caps);
    trans_class->fixate_caps = GST_DEBUG_FUNCPTR(fixate_caps);
    trans_class->accept_caps = GST_DEBUG_FUNCPTR(accept_caps);
    trans_class->before_transform = GST_DEBUG_FUNCPTR(before_transform);
    trans_class->submit_input_buffer = GST_DEBUG_FUNCPTR(submit_input_buffer);
    trans_class->sink_event = GST_DEBUG_FUNCPTR(sink_event);
    trans_class->src_event = GST_DEBUG_FUNCPTR(src_event);
    trans_class->query = GST_DEBUG_FUNCPTR(handle_query);
    gst_pix2pix_buffers_class_init(trans_class);

    filter_class->set_info = GST_DEBUG_FUNCPTR(set_info);
    gst_pix2pix_flights_class_init(filter_class);
}
