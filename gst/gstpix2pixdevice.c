/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The device: opened with READY, closed with NULL. One that is lost is opened again; where it fails
 * otherwise or once more, the CPU takes over if `auto` chose it. Models hold on to the device that
 * they are on, so that frames and the loader do not mind when another takes its place.
 */
#include "gstpix2pixfilter.h"

#define GST_CAT_DEFAULT gst_pix2pix_debug

/* One that is lost more often does not get better. */
#define REOPENED_ONCE_IN_US (60 * G_USEC_PER_SEC)

void gst_pix2pix_device_close(GstPix2pixFilter *self)
{
    PixDevice *device;

    GST_OBJECT_LOCK(self);
    device = g_steal_pointer(&self->device);
    g_clear_pointer(&self->opened_spec, g_free);
    self->reopened_us = 0;
    GST_OBJECT_UNLOCK(self);
    pix_device_unref(device);
}

static void log_device(GstPix2pixFilter *self, const PixDeviceInfo *info)
{
    GST_INFO_OBJECT(self, "device %s: %s (%s)", info->id, info->name, info->features);
    if (info->note && info->refused)
        GST_WARNING_OBJECT(self, "%s; %s is used", info->note, info->id);
    else if (info->note)
        GST_INFO_OBJECT(self, "%s; %s is used", info->note, info->id);
}

gboolean gst_pix2pix_device_open(GstPix2pixFilter *self)
{
    g_autoptr(GError) error = NULL;
    PixDevice *device;
    char *spec;
    guint threads;

    GST_OBJECT_LOCK(self);
    spec = g_strdup(self->device_spec);
    threads = self->threads;
    GST_OBJECT_UNLOCK(self);
    if (self->device && g_strcmp0(spec, self->opened_spec) == 0 &&
        threads == self->opened_threads) {
        g_free(spec);
        return TRUE;
    }

    gst_pix2pix_device_close(self);
    device = pix_device_open(spec, threads, &error);
    GST_OBJECT_LOCK(self);
    self->device = device;
    self->opened_spec = spec;
    self->opened_threads = threads;
    GST_OBJECT_UNLOCK(self);
    if (device)
        log_device(self, pix_device_get_info(device));
    else
        gst_pix2pix_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, GST_PIX2PIX_WHAT_LOAD, NULL, error);
    return device != NULL;
}

/* ---- when it fails ---- */

/* Where another thread has met the same, what it found. */
static PixDevice *find_other(GstPix2pixFilter *self, PixDevice *failed)
{
    PixDevice *other = NULL;

    GST_OBJECT_LOCK(self);
    if (self->device != failed)
        other = pix_device_ref(self->device);
    GST_OBJECT_UNLOCK(self);
    return other;
}

static PixDevice *reopen(GstPix2pixFilter *self, PixDevice *failed, const GError *reason)
{
    gint64 now_us = g_get_monotonic_time();
    g_autoptr(GError) error = NULL;
    PixDevice *device;
    gboolean again;

    if (!g_error_matches(reason, PIX_ERROR, PIX_ERROR_DEVICE_LOST))
        return NULL;
    GST_OBJECT_LOCK(self);
    again = self->reopened_us > 0 && now_us - self->reopened_us < REOPENED_ONCE_IN_US;
    if (!again)
        self->reopened_us = now_us;
    GST_OBJECT_UNLOCK(self);
    if (again)
        return NULL;
    device = pix_device_reopen(failed, &error);
    if (!device)
        GST_WARNING_OBJECT(self, "not opened again: %s", error->message);
    return device;
}

static PixModel *load(GstPix2pixFilter *self, PixDevice *device, GstPix2pixWhat what,
                      const char *name, const char *domain, PixPrecision precision)
{
    gboolean cpu = g_str_equal(pix_device_get_info(device)->id, "cpu");
    g_autoptr(GError) error = NULL;
    PixModel *model;

    if (cpu && precision == PIX_PRECISION_FP16 && what != GST_PIX2PIX_WHAT_LOAD)
        precision = PIX_PRECISION_AUTO; /* frames shall go on */
    model = pix_model_load(device, name, domain, precision, &error);
    if (!model)
        GST_WARNING_OBJECT(self, "not loaded again: %s", error->message);
    return model;
}

/* Makes @device the element's, for the reason of @error. */
static void use(GstPix2pixFilter *self, PixDevice *device, GstPix2pixWhat what, const char *name,
                const char *news, const GError *reason)
{
    g_autoptr(GError) error =
        g_error_new(reason->domain, reason->code, "%s; %s", reason->message, news);
    PixDevice *old;

    GST_OBJECT_LOCK(self);
    old = self->device;
    self->device = pix_device_ref(device);
    GST_OBJECT_UNLOCK(self);
    pix_device_unref(old);
    gst_pix2pix_post(GST_ELEMENT(self), GST_MESSAGE_WARNING, what, name, error);
}

static PixModel *replace(GstPix2pixFilter *self, PixDevice *failed, GstPix2pixWhat what,
                         const char *name, const char *domain, PixPrecision precision,
                         GError **error)
{
    g_autoptr(PixDevice) other = find_other(self, failed);
    const char *news = NULL; /* the other thread has told */
    PixModel *model = NULL;

    if (!other && (other = reopen(self, failed, *error)))
        news = "it has been opened again";
    if (other)
        model = load(self, other, what, name, domain, precision);
    if (!model) {
        pix_device_unref(other);
        other = pix_device_fallback(failed, *error);
        news = "the CPU takes over";
        model = other ? load(self, other, what, name, domain, precision) : NULL;
    }
    if (!model)
        return NULL;
    if (news)
        use(self, other, what, name, news, *error);
    g_clear_error(error);
    return model;
}

/* One thread at a time: the next one finds what it has found. */
PixModel *gst_pix2pix_device_replace(GstPix2pixFilter *self, PixDevice *failed, GstPix2pixWhat what,
                                     const char *name, const char *domain, PixPrecision precision,
                                     GError **error)
{
    PixModel *model;

    g_mutex_lock(&self->replacing);
    model = replace(self, failed, what, name, domain, precision, error);
    g_mutex_unlock(&self->replacing);
    return model;
}

PixModel *gst_pix2pix_device_move(GstPix2pixFilter *self, PixModel *failed, GstPix2pixWhat what,
                                  GError **error)
{
    g_autofree char *name = NULL, *domain = NULL;
    PixPrecision precision;

    GST_OBJECT_LOCK(self);
    name = g_strdup(self->model_in_use);
    domain = g_strdup(self->domain_in_use);
    precision = self->precision_in_use;
    GST_OBJECT_UNLOCK(self);
    return gst_pix2pix_device_replace(self, pix_model_get_device(failed), what, name, domain,
                                      precision, error);
}
