/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "clock.h"
#include "error.h"
#include "flight.h"
#include "fuse.h"
#include "image.h"
#include "mix.h"
#include "model.h"

#define MAX_IN_FLIGHT 4

struct PixSession {
    PixModel *model;
    PixSessionOptions options;
    PixRun *run;
    PixVideo in, out; /* as prepared */
    PixFlight *flights[MAX_IN_FLIGHT];
    guint n_flights; /* 0: not prepared */
    guint first;     /* of those that are under way */
    guint pending;   /* how many are */
    uint64_t frame;
    PixTimes times;
};

void pix_session_options_init(PixSessionOptions *options, const PixModel *model)
{
    g_return_if_fail(options && model);
    *options = (PixSessionOptions){.n = 1,
                                   .width = model->info.width,
                                   .height = model->info.height,
                                   .statistics = PIX_STATISTICS_AUTO,
                                   .dropout = PIX_DROPOUT_FROZEN,
                                   .in_flight = 1};
}

static bool check_mix(const PixModel *model, const PixSessionOptions *o, GError **error)
{
    return !o->mix || model->device->backend->mixes ||
           pix_fail(error, PIX_ERROR_UNSUPPORTED,
                    "%s does not run convolutions in several precisions; use device=cpu",
                    model->device->info.name);
}

static bool check_options(const PixSessionOptions *o, GError **error)
{
    const PixRect *r = &o->content;
    if (o->n < 1)
        return pix_fail(error, PIX_ERROR_BAD_SHAPE, "a batch has at least one sample, not %d",
                        o->n);
    if (r->x < 0 || r->y < 0 || r->width < 1 || r->height < 1 || r->width > o->width - r->x ||
        r->height > o->height - r->y)
        return pix_fail(error, PIX_ERROR_BAD_SHAPE,
                        "content of %dx%d at %d,%d does not lie in %dx%d pixels", r->width,
                        r->height, r->x, r->y, o->width, o->height);
    return true;
}

static bool uses_running(const PixModel *model, PixStatistics statistics)
{
    if (statistics == PIX_STATISTICS_AUTO)
        statistics = model->info.statistics;
    return statistics == PIX_STATISTICS_RUNNING;
}

/* Names the file, and where a size does not fit also the sizes that do. */
static void explain_size(const PixModel *model, GError **error)
{
    g_prefix_error(error, "%s: ", model->name);
    if (!error || !g_error_matches(*error, PIX_ERROR, PIX_ERROR_BAD_SHAPE))
        return;
    g_autoptr(GError) plain = g_steal_pointer(error);
    pix_fail(error, PIX_ERROR_BAD_SHAPE, "%s; sides that are multiples of %d and at least %d fit",
             plain->message, model->info.multiple, model->info.minimum);
}

/* The network at this size and in these modes, as the device will run it. */
static PixGraph *specialise(const PixModel *model, const PixSessionOptions *o, GError **error)
{
    g_autoptr(PixGraph) graph = pix_graph_copy(model->graph);
    const PixPrecision *mix = o->mix ? o->mix : model->mix;
    if (mix)
        pix_graph_set_mix(graph, mix, !o->mix && model->precision == PIX_PRECISION_AUTO);
    if (!pix_graph_set_modes(graph, uses_running(model, o->statistics),
                             o->dropout != PIX_DROPOUT_OFF, error) ||
        !pix_graph_infer(graph, o->n, o->height, o->width, error)) {
        explain_size(model, error);
        return NULL;
    }
    PixGraph *fused = pix_graph_fuse(graph, model->device);
    /* The rewritten graph's own shapes: the rules move nodes. Cannot fail where the first did not. */
    if (!pix_graph_infer(fused, o->n, o->height, o->width, error)) {
        pix_graph_free(fused);
        return NULL;
    }
    return fused;
}

PixSession *pix_session_new(PixModel *model, const PixSessionOptions *options, GError **error)
{
    g_return_val_if_fail(model && options, NULL);
    g_return_val_if_fail(options->statistics <= PIX_STATISTICS_RUNNING, NULL);
    g_return_val_if_fail(options->dropout <= PIX_DROPOUT_FRESH, NULL);
    g_return_val_if_fail(options->in_flight <= MAX_IN_FLIGHT, NULL);
    g_return_val_if_fail(!options->mix ||
                             pix_mix_is_valid(options->mix, pix_graph_convolutions(model->graph)),
                         NULL);
    PixSession *session = g_new0(PixSession, 1);
    PixSessionOptions *o = &session->options;
    session->model = pix_model_ref(model);
    *o = *options;
    if (o->content.width == 0 && o->content.height == 0)
        o->content = (PixRect){0, 0, o->width, o->height};
    PixGraph *graph = NULL;
    if (check_options(o, error) && check_mix(model, o, error))
        graph = specialise(model, o, error);
    o->mix = NULL; /* the caller's */
    if (graph)
        session->run = pix_run_new(graph, model->device, model->params->tensors, !model->learns,
                                   model->format.maps, error);
    if (!session->run) {
        pix_session_free(session);
        return NULL;
    }
    session->times.layers = pix_run_layers(session->run, &session->times.n_layers);
    return session;
}

static void free_flights(PixSession *session)
{
    for (guint i = 0; i < G_N_ELEMENTS(session->flights); i++)
        g_clear_pointer(&session->flights[i], pix_flight_free);
    session->n_flights = session->first = session->pending = 0;
}

void pix_session_free(PixSession *session)
{
    if (!session)
        return;
    free_flights(session);
    pix_run_free(session->run);
    pix_model_unref(session->model);
    g_free(session);
}

static PixFrame next_frame(PixSession *session)
{
    PixFrame frame = {.seed = session->options.seed};
    if (session->options.dropout == PIX_DROPOUT_FRESH)
        frame.number = ++session->frame;
    return frame;
}

/* ---- frames in flight ---- */

static bool check_image(const PixSession *session, const PixImage *image, int channels,
                        const char *what, GError **error)
{
    const PixRect *content = &session->options.content;
    if (channels > (int)G_N_ELEMENTS(image->offset))
        return pix_fail(error, PIX_ERROR_UNSUPPORTED,
                        "%s has %d %s channels; images have up to 4, use tensors",
                        session->model->name, channels, what);
    if (image->width != content->width || image->height != content->height ||
        image->channels != channels)
        return pix_fail(error, PIX_ERROR_BAD_SHAPE,
                        "the %s image has %dx%d pixels of %d channels; the session takes %dx%d of "
                        "%d",
                        what, image->width, image->height, image->channels, content->width,
                        content->height, channels);
    return true;
}

static bool check_output(const PixSession *session, GError **error)
{
    const PixShape *out = &pix_run_output(session->run)->shape;
    if (out->n != 1)
        return pix_fail(error, PIX_ERROR_BAD_SHAPE,
                        "images are translated one at a time; this session takes %d", out->n);
    if (out->w != session->options.width || out->h != session->options.height)
        return pix_fail(error, PIX_ERROR_BAD_SHAPE,
                        "%s turns %dx%d into %dx%d: not a network that translates frames",
                        session->model->name, session->options.width, session->options.height,
                        out->w, out->h);
    return true;
}

gboolean pix_session_takes(const PixSession *session, const PixVideo *video)
{
    g_return_val_if_fail(session && pix_video_check(video, false), FALSE);
    const PixDevice *device = session->model->device;
    return device->backend->takes(device, video, session->options.content);
}

static bool check_layout(const PixSession *session, const PixVideo *video, int channels,
                         const char *what, GError **error)
{
    bool fits = video->converts ? channels <= 3 : video->n_components == channels;
    return (fits && pix_session_takes(session, video)) ||
           pix_fail(error, PIX_ERROR_UNSUPPORTED,
                    "%s does not take %s frames of %dx%d in this layout for %d channels; convert "
                    "them to interleaved ones of %dx%d",
                    session->model->device->info.name, what, video->width, video->height, channels,
                    session->options.content.width, session->options.content.height);
}

guint pix_session_get_in_flight(const PixSession *session)
{
    g_return_val_if_fail(session, 0);
    return session->model->device->backend->record ? MAX(session->options.in_flight, 1) : 1;
}

static bool make_flights(PixSession *session, GError **error)
{
    guint n = pix_session_get_in_flight(session);
    for (guint i = 0; i < n; i++) {
        session->flights[i] = pix_flight_new(session->run, &session->in, &session->out,
                                             session->options.content, error);
        if (!session->flights[i]) {
            free_flights(session);
            return false;
        }
    }
    session->n_flights = n;
    return true;
}

gboolean pix_session_prepare(PixSession *session, const PixVideo *in, const PixVideo *out,
                             GError **error)
{
    g_return_val_if_fail(session && pix_video_check(in, false) && pix_video_check(out, false),
                         FALSE);
    int in_channels = pix_run_input(session->run)->shape.c;
    int out_channels = pix_run_output(session->run)->shape.c;
    free_flights(session);
    if (!check_output(session, error) || !check_layout(session, in, in_channels, "input", error) ||
        !check_layout(session, out, out_channels, "output", error))
        return FALSE;
    session->in = *in;
    session->out = *out;
    return make_flights(session, error);
}

gboolean pix_session_submit(PixSession *session, const PixVideo *in, GError **error)
{
    g_return_val_if_fail(session && pix_video_check(in, true), FALSE);
    g_return_val_if_fail(session->pending < session->n_flights, FALSE);
    g_return_val_if_fail(pix_video_same_layout(in, &session->in), FALSE);
    guint next = (session->first + session->pending) % session->n_flights;
    if (!pix_flight_submit(session->flights[next], in, next_frame(session), error))
        return FALSE;
    session->pending++;
    return TRUE;
}

static bool receive(PixSession *session, const PixVideo *out, GError **error)
{
    PixFlight *flight = session->flights[session->first];
    session->first = (session->first + 1) % session->n_flights;
    session->pending--;
    bool done = pix_flight_receive(flight, out, error);
    PixFlightTimes times = pix_flight_times(flight);
    session->times.pack_ms = times.in_ms;
    session->times.network_ms = times.network_ms;
    session->times.unpack_ms = times.out_ms;
    return done;
}

gboolean pix_session_receive(PixSession *session, const PixVideo *out, GError **error)
{
    g_return_val_if_fail(session && pix_video_check(out, true), FALSE);
    g_return_val_if_fail(session->pending > 0, FALSE);
    g_return_val_if_fail(pix_video_same_layout(out, &session->out), FALSE);
    return receive(session, out, error);
}

void pix_session_discard(PixSession *session)
{
    g_return_if_fail(session);
    while (session->pending > 0)
        receive(session, NULL, NULL);
}

gboolean pix_session_translate(PixSession *session, const PixImage *in, PixImage *out,
                               GError **error)
{
    g_return_val_if_fail(session && pix_image_check(in) && pix_image_check(out), FALSE);
    g_return_val_if_fail(session->pending == 0, FALSE);
    const PixTensor *x = pix_run_input(session->run), *y = pix_run_output(session->run);
    PixVideo from, to;
    pix_video_from_image(in, &from);
    pix_video_from_image(out, &to);
    if (!check_output(session, error) || !check_image(session, in, x->shape.c, "input", error) ||
        !check_image(session, out, y->shape.c, "output", error))
        return FALSE;
    bool prepared = session->n_flights > 0 && pix_video_same_layout(&from, &session->in) &&
                    pix_video_same_layout(&to, &session->out);
    return (prepared || pix_session_prepare(session, &from, &to, error)) &&
           pix_session_submit(session, &from, error) && pix_session_receive(session, &to, error);
}

/* ---- tensors ---- */

static bool run_network(PixSession *session, GError **error)
{
    double before = pix_clock_ms();
    bool done = pix_run_forward(session->run, next_frame(session), error);
    session->times.network_ms = pix_clock_ms() - before;
    return done;
}

gboolean pix_session_forward(PixSession *session, const float *x, float *y, GError **error)
{
    g_return_val_if_fail(session && x && y, FALSE);
    g_return_val_if_fail(session->pending == 0, FALSE);
    PixDevice *device = session->model->device;
    session->times.pack_ms = session->times.unpack_ms = 0;
    return device->backend->write(device, pix_run_input(session->run), x, error) &&
           run_network(session, error) &&
           device->backend->read(device, pix_run_output(session->run), y, error);
}

void pix_session_get_output(const PixSession *session, int dims[4])
{
    g_return_if_fail(session && dims);
    PixShape shape = pix_run_output(session->run)->shape;
    dims[0] = shape.n;
    dims[1] = shape.c;
    dims[2] = shape.h;
    dims[3] = shape.w;
}

void pix_session_restart(PixSession *session)
{
    g_return_if_fail(session);
    session->frame = 0;
}

const PixTimes *pix_session_get_times(PixSession *session)
{
    g_return_val_if_fail(session, NULL);
    return &session->times;
}

gboolean pix_session_measure_layers(PixSession *session, GError **error)
{
    g_return_val_if_fail(session, FALSE);
    return pix_run_measure(session->run, error);
}

guint64 pix_session_get_bytes(const PixSession *session)
{
    g_return_val_if_fail(session, 0);
    guint64 bytes = pix_run_bytes(session->run);
    for (guint i = 0; i < session->n_flights; i++)
        bytes += pix_flight_bytes(session->flights[i]);
    return bytes;
}
