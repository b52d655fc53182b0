/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Preloaded: the step that PIX2PIX_TEST_FAILS names fails once as on a device that is lost, and where
 * PIX2PIX_TEST_AUTO is set the CPU may take over. With "check" a GPU has been refused.
 */
#include <dlfcn.h>
#include <pix2pix/pix.h>

static gboolean fails(const char *step, GError **error)
{
    static gboolean done;

    if (done || g_strcmp0(g_getenv("PIX2PIX_TEST_FAILS"), step) != 0)
        return FALSE;
    done = TRUE;
    g_set_error(error, PIX_ERROR, PIX_ERROR_DEVICE_LOST, "the processor has left");
    return TRUE;
}

const PixDeviceInfo *pix_device_get_info(const PixDevice *device)
{
    static PixDeviceInfo info;
    const PixDeviceInfo *(*real)(const PixDevice *);

    *(void **)&real = dlsym(RTLD_NEXT, "pix_device_get_info");
    info = *real(device);
    if (g_strcmp0(g_getenv("PIX2PIX_TEST_FAILS"), "check") == 0) {
        info.note = "the GPU is wrong";
        info.refused = TRUE;
    }
    return &info;
}

PixDevice *pix_device_fallback(PixDevice *device, const GError *reason)
{
    return g_getenv("PIX2PIX_TEST_AUTO") ? pix_device_open("cpu", 1, NULL) : NULL;
}

PixModel *pix_model_load(PixDevice *device, const char *name, const char *domain,
                         PixPrecision precision, GError **error)
{
    PixModel *(*real)(PixDevice *, const char *, const char *, PixPrecision, GError **);

    *(void **)&real = dlsym(RTLD_NEXT, "pix_model_load");
    return fails("load", error) ? NULL : real(device, name, domain, precision, error);
}

PixModel *pix_model_new(PixDevice *device, PixCheckpoint *checkpoint, PixPrecision precision,
                        GError **error)
{
    PixModel *(*real)(PixDevice *, PixCheckpoint *, PixPrecision, GError **);

    *(void **)&real = dlsym(RTLD_NEXT, "pix_model_new");
    return fails("load", error) ? NULL : real(device, checkpoint, precision, error);
}

PixSession *pix_session_new(PixModel *model, const PixSessionOptions *options, GError **error)
{
    PixSession *(*real)(PixModel *, const PixSessionOptions *, GError **);

    *(void **)&real = dlsym(RTLD_NEXT, "pix_session_new");
    return fails("session", error) ? NULL : real(model, options, error);
}

gboolean pix_session_forward(PixSession *session, const float *x, float *y, GError **error)
{
    gboolean (*real)(PixSession *, const float *, float *, GError **);

    *(void **)&real = dlsym(RTLD_NEXT, "pix_session_forward");
    return !fails("run", error) && real(session, x, y, error);
}

gboolean pix_session_translate(PixSession *session, const PixImage *in, PixImage *out,
                               GError **error)
{
    gboolean (*real)(PixSession *, const PixImage *, PixImage *, GError **);

    *(void **)&real = dlsym(RTLD_NEXT, "pix_session_translate");
    return !fails("run", error) && real(session, in, out, error);
}
