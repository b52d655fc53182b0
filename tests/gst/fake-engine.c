/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-engine.h"

#include <dlfcn.h>
#include <string.h>

static GMutex lock;
static FakeMode mode;
static GCond changed;
static int delay_ms, calls;
static int held_step = -1; /* a FakeStep */
static gboolean held;      /* a thread is in it */
static const char *refused;
static gboolean automatic, reopens;
static struct {
    PixError code;
    const char *text; /* NULL: it does not */
} failing[4];         /* by FakeStep */
static PixVideo last_in, last_out;

void fake_engine_reset(void)
{
    g_mutex_lock(&lock);
    mode = FAKE_OFF;
    delay_ms = calls = 0;
    automatic = reopens = FALSE;
    refused = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(failing); i++)
        failing[i].text = NULL;
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

static void fail_next(FakeStep step, PixError code, const char *text)
{
    g_mutex_lock(&lock);
    failing[step].code = code;
    failing[step].text = text;
    g_mutex_unlock(&lock);
}

void fake_engine_fail_next(FakeStep step)
{
    fail_next(step, PIX_ERROR_DEVICE_LOST, "the processor has left");
}

void fake_engine_lack_memory(FakeStep step)
{
    fail_next(step, PIX_ERROR_NO_MEMORY, "there is no more");
}

void fake_engine_hold(FakeStep step)
{
    g_mutex_lock(&lock);
    held_step = step;
    held = FALSE;
    g_mutex_unlock(&lock);
}

void fake_engine_wait_held(void)
{
    g_mutex_lock(&lock);
    while (!held)
        g_cond_wait(&changed, &lock);
    g_mutex_unlock(&lock);
}

void fake_engine_release(void)
{
    g_mutex_lock(&lock);
    held_step = -1;
    g_cond_broadcast(&changed);
    g_mutex_unlock(&lock);
}

void fake_engine_set_reopens(gboolean can_reopen)
{
    g_mutex_lock(&lock);
    reopens = can_reopen;
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

PixVideo fake_engine_get_in(void)
{
    return last_in;
}

PixVideo fake_engine_get_out(void)
{
    return last_out;
}

/* Whether @step fails now. */
static gboolean fails(FakeStep step, GError **error)
{
    const char *text;

    g_mutex_lock(&lock);
    while (held_step == (int)step) {
        held = TRUE;
        g_cond_broadcast(&changed);
        g_cond_wait(&changed, &lock);
    }
    text = failing[step].text;
    failing[step].text = NULL;
    g_mutex_unlock(&lock);
    if (text)
        g_set_error_literal(error, PIX_ERROR, failing[step].code, text);
    return text != NULL;
}

const PixDeviceInfo *pix_device_get_info(const PixDevice *device)
{
    static PixDeviceInfo other;
    const PixDeviceInfo *(*real)(const PixDevice *), *info;

    *(void **)&real = dlsym(RTLD_NEXT, "pix_device_get_info");
    info = real(device);
    g_mutex_lock(&lock);
    if (refused) {
        other = *info;
        other.note = refused;
        other.refused = TRUE;
        info = &other;
    }
    g_mutex_unlock(&lock);
    return info;
}

PixDevice *pix_device_reopen(PixDevice *device, GError **error)
{
    PixDevice *(*real)(PixDevice *, GError **);
    gboolean now;

    g_mutex_lock(&lock);
    now = reopens;
    g_mutex_unlock(&lock);
    *(void **)&real = dlsym(RTLD_NEXT, "pix_device_reopen");
    if (now)
        return real(device, error);
    g_set_error_literal(error, PIX_ERROR, PIX_ERROR_NO_DEVICE, "it does not come back");
    return NULL;
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

PixModel *pix_model_load(PixDevice *device, const char *name, const char *domain,
                         PixPrecision precision, GError **error)
{
    PixModel *(*real)(PixDevice *, const char *, const char *, PixPrecision, GError **);

    *(void **)&real = dlsym(RTLD_NEXT, "pix_model_load");
    return fails(FAKE_LOAD, error) ? NULL : real(device, name, domain, precision, error);
}

PixSession *pix_session_new(PixModel *model, const PixSessionOptions *options, GError **error)
{
    PixSession *(*real)(PixModel *, const PixSessionOptions *, GError **);

    *(void **)&real = dlsym(RTLD_NEXT, "pix_session_new");
    return fails(FAKE_SESSION, error) ? NULL : real(model, options, error);
}

/* ---- images in flight ---- */

typedef struct {
    PixSession *session;
    PixVideo video;
    guint8 *bytes;
} Flight;

static GQueue flights = G_QUEUE_INIT; /* of Flight */

static gboolean is_simple(const PixVideo *video)
{
    gboolean simple = video->n_planes == 1 && !video->converts;

    for (int c = 0; c < video->n_components; c++)
        simple = simple && video->components[c].x_shift == 0 && video->components[c].y_shift == 0;
    return simple;
}

static void keep(PixSession *session, const PixVideo *in)
{
    Flight *flight = g_new(Flight, 1);
    const PixPlane *from = &in->planes[0];
    PixPlane *plane = &flight->video.planes[0];

    flight->session = session;
    flight->video = *in;
    flight->bytes = g_malloc((gsize)from->row_bytes * from->rows);
    plane->data = flight->bytes;
    plane->stride = from->row_bytes;
    for (int y = 0; y < from->rows; y++)
        memcpy(plane->data + y * plane->stride, from->data + y * from->stride, from->row_bytes);
    g_mutex_lock(&lock);
    g_queue_push_tail(&flights, flight);
    g_mutex_unlock(&lock);
}

/* The oldest of @session, or NULL. */
static Flight *take(PixSession *session)
{
    Flight *found = NULL;

    g_mutex_lock(&lock);
    for (GList *item = flights.head; item && !found; item = item->next) {
        Flight *flight = item->data;

        if (flight->session == session)
            found = flight;
    }
    g_queue_remove(&flights, found);
    g_mutex_unlock(&lock);
    return found;
}

static void flight_free(Flight *flight)
{
    g_free(flight->bytes);
    g_free(flight);
}

static guint8 *byte_at(const PixVideo *video, int c, int y, int x)
{
    return video->planes[0].data + y * video->planes[0].stride + x * video->components[c].step +
           video->components[c].offset;
}

static void invert(const PixVideo *in, const PixVideo *out)
{
    for (int y = 0; y < out->height; y++) {
        for (int x = 0; x < out->width; x++) {
            for (int c = 0; c < out->n_components; c++) {
                int source = in->n_components == out->n_components ? c
                             : in->n_components == 1               ? 0
                                                                   : 1;

                *byte_at(out, c, y, x) = 255 - *byte_at(in, source, y * in->height / out->height,
                                                        x * in->width / out->width);
            }
        }
    }
}

/* ---- the functions between ---- */

gboolean pix_session_takes(const PixSession *session, const PixVideo *video)
{
    gboolean (*real)(const PixSession *, const PixVideo *);
    gboolean inverts;

    g_mutex_lock(&lock);
    inverts = mode == FAKE_INVERT;
    g_mutex_unlock(&lock);
    *(void **)&real = dlsym(RTLD_NEXT, "pix_session_takes");
    return (!inverts || is_simple(video)) && real(session, video);
}

gboolean pix_session_submit(PixSession *session, const PixVideo *in, GError **error)
{
    gboolean (*real)(PixSession *, const PixVideo *, GError **);
    FakeMode now;
    int wait_ms;

    g_mutex_lock(&lock);
    calls++;
    now = mode;
    wait_ms = delay_ms;
    last_in = *in;
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
        keep(session, in);
        return TRUE;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "pix_session_submit");
    return real(session, in, error);
}

gboolean pix_session_receive(PixSession *session, const PixVideo *out, GError **error)
{
    gboolean (*real)(PixSession *, const PixVideo *, GError **);
    Flight *flight = take(session);

    g_mutex_lock(&lock);
    last_out = *out;
    g_mutex_unlock(&lock);
    *(void **)&real = dlsym(RTLD_NEXT, "pix_session_receive");
    if (!flight)
        return real(session, out, error) && !fails(FAKE_RESULT, error);
    invert(&flight->video, out);
    flight_free(flight);
    return !fails(FAKE_RESULT, error);
}

void pix_session_discard(PixSession *session)
{
    void (*real)(PixSession *);
    Flight *flight;

    while ((flight = take(session)))
        flight_free(flight);
    *(void **)&real = dlsym(RTLD_NEXT, "pix_session_discard");
    real(session);
}
