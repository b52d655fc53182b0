/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-engine.h"

#include <dlfcn.h>

static GMutex lock;
static FakeMode mode;
static int delay_ms, calls;
static const char *refused;
static gboolean automatic, failing[3]; /* by FakeStep */
static PixImage last_in, last_out;

void fake_engine_reset(void)
{
    g_mutex_lock(&lock);
    mode = FAKE_OFF;
    delay_ms = calls = 0;
    automatic = FALSE;
    refused = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(failing); i++)
        failing[i] = FALSE;
    g_mutex_unlock(&lock);
}

void fake_engine_set_mode(FakeMode new_mode)
{
    g_mutex_lock(&lock);
    mode = new_mode;
    g_mutex_unlock(&lock);
}

void fake_engine_set_delay_ms(int ms)
{
    g_mutex_lock(&lock);
    delay_ms = ms;
    g_mutex_unlock(&lock);
}

void fake_engine_fail_next(FakeStep step)
{
    g_mutex_lock(&lock);
    failing[step] = TRUE;
    g_mutex_unlock(&lock);
}

void fake_engine_set_automatic(gboolean is_automatic)
{
    g_mutex_lock(&lock);
    automatic = is_automatic;
    g_mutex_unlock(&lock);
}

void fake_engine_set_refused(const char *note)
{
    g_mutex_lock(&lock);
    refused = note;
    g_mutex_unlock(&lock);
}

int fake_engine_get_calls(void)
{
    int n;

    g_mutex_lock(&lock);
    n = calls;
    g_mutex_unlock(&lock);
    return n;
}

PixImage fake_engine_get_in(void)
{
    return last_in;
}

PixImage fake_engine_get_out(void)
{
    return last_out;
}

/* Whether @step fails now. */
static gboolean fails(FakeStep step, GError **error)
{
    gboolean now;

    g_mutex_lock(&lock);
    now = failing[step];
    failing[step] = FALSE;
    g_mutex_unlock(&lock);
    if (now)
        g_set_error(error, PIX_ERROR, PIX_ERROR_DEVICE_LOST, "the processor has left");
    return now;
}

const PixDeviceInfo *pix_device_get_info(const PixDevice *device)
{
    static PixDeviceInfo changed;
    const PixDeviceInfo *(*real)(const PixDevice *), *info;

    *(void **)&real = dlsym(RTLD_NEXT, "pix_device_get_info");
    info = real(device);
    g_mutex_lock(&lock);
    if (refused) {
        changed = *info;
        changed.note = refused;
        changed.refused = TRUE;
        info = &changed;
    }
    g_mutex_unlock(&lock);
    return info;
}

PixDevice *pix_device_fallback(PixDevice *device, const GError *reason)
{
    PixDevice *(*real)(PixDevice *, const GError *);
    gboolean now;

    g_mutex_lock(&lock);
    now = automatic;
    g_mutex_unlock(&lock);
    *(void **)&real = dlsym(RTLD_NEXT, "pix_device_fallback");
    return now ? pix_device_open("cpu", 1, NULL) : real(device, reason);
}

PixModel *pix_model_load(PixDevice *device, const char *name, const char *domain, GError **error)
{
    PixModel *(*real)(PixDevice *, const char *, const char *, GError **);

    *(void **)&real = dlsym(RTLD_NEXT, "pix_model_load");
    return fails(FAKE_LOAD, error) ? NULL : real(device, name, domain, error);
}

PixSession *pix_session_new(PixModel *model, const PixSessionOptions *options, GError **error)
{
    PixSession *(*real)(PixModel *, const PixSessionOptions *, GError **);

    *(void **)&real = dlsym(RTLD_NEXT, "pix_session_new");
    return fails(FAKE_SESSION, error) ? NULL : real(model, options, error);
}

static void invert(const PixImage *in, PixImage *out)
{
    for (int y = 0; y < out->height; y++) {
        const guint8 *from = in->data + y * in->stride;
        guint8 *to = out->data + y * out->stride;

        for (int x = 0; x < out->width; x++, from += in->pixel_bytes, to += out->pixel_bytes) {
            for (int c = 0; c < out->channels; c++) {
                int source = in->channels == out->channels ? c : in->channels == 1 ? 0 : 1;

                to[out->offset[c]] = 255 - from[in->offset[source]];
            }
        }
    }
}

gboolean pix_session_translate(PixSession *session, const PixImage *in, PixImage *out,
                               GError **error)
{
    gboolean (*real)(PixSession *, const PixImage *, PixImage *, GError **);
    FakeMode now;
    int wait_ms;

    g_mutex_lock(&lock);
    calls++;
    now = mode;
    wait_ms = delay_ms;
    last_in = *in;
    last_out = *out;
    g_mutex_unlock(&lock);

    if (wait_ms)
        g_usleep(wait_ms * 1000);
    if (fails(FAKE_FRAME, error))
        return FALSE;
    if (now == FAKE_LOST) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_DEVICE_LOST, "the processor has left");
        return FALSE;
    }
    if (now == FAKE_INVERT) {
        invert(in, out);
        return TRUE;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "pix_session_translate");
    return real(session, in, out, error);
}
