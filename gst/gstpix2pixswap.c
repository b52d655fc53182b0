/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Loading takes longer than a frame, so that a thread of its own does it: it reads the model,
 * builds a translator for the present caps and leaves it in `pending`; the streaming thread takes
 * it between two frames. What fails leaves everything as it was and posts a warning.
 */
#include "gstpix2pixfilter.h"

#define GST_CAT_DEFAULT gst_pix2pix_debug

/** A model that a round has loaded, too late for the caps, and what it was asked for by. */
typedef struct {
    PixModel *model; /* NULL: there is none */
    char *name, *domain;
    PixPrecision precision;
} Loaded;

/** What one round of the loader works on. */
typedef struct {
    guint serial, infos_serial;
    gboolean reload, have_infos;
    gboolean is_new; /* the model is not the one in use */
    char *model_name, *domain;
    PixPrecision precision;
    GstPix2pixSettings settings;
    guint threads;
    PixDevice *device;
    GstVideoInfo in_info, out_info;
    PixModel *model; /* the loaded one, else the one in use */
    GstPix2pixTranslator *translator;
    GstPix2pixWhat what;
    GError *error;
} Job;

static void loaded_clear(Loaded *loaded)
{
    pix_model_unref(loaded->model);
    g_free(loaded->name);
    g_free(loaded->domain);
    *loaded = (Loaded){0};
}

/* Call with the lock. By now the properties may ask for something else than @loaded. */
static void job_init(Job *job, GstPix2pixFilter *self, const Loaded *loaded)
{
    gboolean again = loaded->model && !self->reload;

    *job = (Job){
        .serial = self->wanted,
        .infos_serial = self->infos_serial,
        .reload = self->reload,
        .have_infos = self->have_infos,
        .is_new = again || self->reload,
        .model_name = g_strdup(again ? loaded->name : self->model_name),
        .domain = g_strdup(again ? loaded->domain : self->domain),
        .precision = again ? loaded->precision : self->precision,
        .settings = self->settings,
        .threads = self->opened_threads,
        .device = pix_device_ref(self->device),
        .in_info = self->in_info,
        .out_info = self->out_info,
        .model = pix_model_ref(again ? loaded->model : self->model),
    };
    self->reload = FALSE;
}

static void job_clear(Job *job)
{
    gst_pix2pix_translator_free(job->translator);
    pix_model_unref(job->model);
    pix_device_unref(job->device);
    g_clear_error(&job->error);
    g_free(job->model_name);
    g_free(job->domain);
}

static Loaded job_keep_model(const Job *job)
{
    return (Loaded){
        .model = pix_model_ref(job->model),
        .name = g_strdup(job->model_name),
        .domain = g_strdup(job->domain),
        .precision = job->precision,
    };
}

static gboolean job_run(Job *job, GstPix2pixFilter *self)
{
    if (job->reload) {
        PixModel *model =
            pix_model_load(job->device, job->model_name, job->domain, job->precision, &job->error);

        job->what = GST_PIX2PIX_WHAT_LOAD;
        if (!model)
            model = gst_pix2pix_device_replace(self, job->device, job->what, job->model_name,
                                               job->domain, job->precision, &job->error);
        if (!model)
            return FALSE;
        pix_model_unref(job->model);
        job->model = model;
        if (!gst_pix2pix_model_check(model, &job->error))
            return FALSE;
    }
    job->what = GST_PIX2PIX_WHAT_CONFIGURE;
    if (!gst_pix2pix_settings_check(job->model, &job->settings, &job->error))
        return FALSE;
    if (!job->have_infos)
        return TRUE;
    job->translator = gst_pix2pix_translator_new(job->model, &job->settings, job->threads,
                                                 &job->in_info, &job->out_info, &job->error);
    return job->translator != NULL;
}

/* Call with the lock. */
static void job_publish(Job *job, GstPix2pixFilter *self)
{
    PixModel *model = self->model;
    GstPix2pixTranslator *translator = self->pending;
    char *name = self->model_in_use, *domain = self->domain_in_use;

    self->model = job->model;
    self->settings_in_use = job->settings;
    self->pending = job->translator;
    job->model = model;
    job->translator = translator;
    if (job->is_new) {
        self->model_in_use = job->model_name;
        job->model_name = name;
        self->domain_in_use = job->domain;
        job->domain = domain;
        self->precision_in_use = job->precision;
    }
}

static gboolean same_settings(const GstPix2pixSettings *a, const GstPix2pixSettings *b)
{
    return a->fit == b->fit && a->statistics == b->statistics && a->dropout == b->dropout &&
           a->seed == b->seed && a->in_flight == b->in_flight;
}

static gpointer loader_main(gpointer data)
{
    GstPix2pixFilter *self = data;
    Loaded loaded = {0};

    GST_OBJECT_LOCK(self);
    while (!self->quit) {
        GstPix2pixTranslator *retired = g_steal_pointer(&self->retired);
        gboolean ok, current;
        Job job;

        if (retired) {
            GST_OBJECT_UNLOCK(self);
            gst_pix2pix_translator_free(retired);
            GST_OBJECT_LOCK(self);
            continue;
        }
        if (!self->model || self->built == self->wanted) {
            g_cond_wait(&self->loader_cond, GST_OBJECT_GET_LOCK(self));
            continue;
        }
        job_init(&job, self, &loaded);
        GST_OBJECT_UNLOCK(self);

        GST_DEBUG_OBJECT(self, "building request %u%s", job.serial,
                         job.reload ? ", with its model" : "");
        ok = job_run(&job, self);
        if (job.reload || !ok)
            loaded_clear(&loaded);

        GST_OBJECT_LOCK(self);
        current = job.serial == self->wanted && job.infos_serial == self->infos_serial;
        if (ok && !current && job.reload) { /* once more, but without reading the file again */
            loaded = job_keep_model(&job);
        } else if (ok && current) {
            loaded_clear(&loaded);
            job_publish(&job, self);
        }
        /* Settings that were changed along with a bad model still want to be tried with the old
         * one. */
        if (ok ? current : !job.reload || same_settings(&job.settings, &self->settings_in_use))
            self->built = job.serial;
        GST_OBJECT_UNLOCK(self);

        if (!ok)
            gst_pix2pix_post(GST_ELEMENT(self), GST_MESSAGE_WARNING, job.what, job.model_name,
                             job.error);
        job_clear(&job);
        GST_OBJECT_LOCK(self);
    }
    GST_OBJECT_UNLOCK(self);
    loaded_clear(&loaded);
    return NULL;
}

void gst_pix2pix_swap_request(GstPix2pixFilter *self)
{
    GST_OBJECT_LOCK(self);
    if (self->started && (self->model_touched || self->settings_touched)) {
        self->reload = self->reload || self->model_touched;
        self->wanted++;
        if (!self->loader)
            self->loader = g_thread_new("pix2pix-loader", loader_main, self);
        g_cond_signal(&self->loader_cond);
    }
    self->model_touched = self->settings_touched = FALSE;
    GST_OBJECT_UNLOCK(self);
}

void gst_pix2pix_swap_take(GstPix2pixFilter *self)
{
    GstPix2pixTranslator *old = NULL;

    GST_OBJECT_LOCK(self);
    if (self->pending) {
        old = self->retired;
        self->retired = self->translator;
        self->translator = g_steal_pointer(&self->pending);
        g_cond_signal(&self->loader_cond);
        GST_INFO_OBJECT(self, "translating with \"%s\" from here on", self->model_in_use);
    }
    GST_OBJECT_UNLOCK(self);
    gst_pix2pix_translator_free(old);
}

void gst_pix2pix_swap_stop(GstPix2pixFilter *self)
{
    GstPix2pixTranslator *pending, *retired;
    GThread *loader;

    GST_OBJECT_LOCK(self);
    self->quit = TRUE;
    self->started = FALSE;
    loader = g_steal_pointer(&self->loader);
    g_cond_signal(&self->loader_cond);
    GST_OBJECT_UNLOCK(self);
    if (loader)
        g_thread_join(loader);

    GST_OBJECT_LOCK(self);
    self->quit = FALSE;
    self->reload = FALSE;
    self->built = self->wanted;
    pending = g_steal_pointer(&self->pending);
    retired = g_steal_pointer(&self->retired);
    GST_OBJECT_UNLOCK(self);
    gst_pix2pix_translator_free(pending);
    gst_pix2pix_translator_free(retired);
}
