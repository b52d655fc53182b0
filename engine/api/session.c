/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "clock.h"
#include "error.h"
#include "fuse.h"
#include "image.h"
#include "model.h"
#include "run.h"

struct PixSession {
    PixModel *model;
    PixSessionOptions options;
    PixRun *run;
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
                                   .dropout = PIX_DROPOUT_FROZEN};
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
    if (!pix_graph_set_modes(graph, uses_running(model, o->statistics),
                             o->dropout != PIX_DROPOUT_OFF, error) ||
        !pix_graph_infer(graph, o->n, o->height, o->width, error)) {
        explain_size(model, error);
        return NULL;
    }
    PixGraph *fused = pix_graph_fuse(graph);
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
    PixSession *session = g_new0(PixSession, 1);
    PixSessionOptions *o = &session->options;
    session->model = pix_model_ref(model);
    *o = *options;
    if (o->content.width == 0 && o->content.height == 0)
        o->content = (PixRect){0, 0, o->width, o->height};
    PixGraph *graph = check_options(o, error) ? specialise(model, o, error) : NULL;
    if (graph)
        session->run = pix_run_new(graph, model->device, model->params->tensors, error);
    if (!session->run) {
        pix_session_free(session);
        return NULL;
    }
    session->times.layers = pix_run_layers(session->run, &session->times.n_layers);
    return session;
}

void pix_session_free(PixSession *session)
{
    if (!session)
        return;
    pix_run_free(session->run);
    pix_model_unref(session->model);
    g_free(session);
}

static bool run_network(PixSession *session, GError **error)
{
    PixFrame frame = {.seed = session->options.seed};
    if (session->options.dropout == PIX_DROPOUT_FRESH)
        frame.number = ++session->frame;
    double before = pix_clock_ms();
    bool done = pix_run_forward(session->run, frame, error);
    session->times.network_ms = pix_clock_ms() - before;
    return done;
}

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

gboolean pix_session_translate(PixSession *session, const PixImage *in, PixImage *out,
                               GError **error)
{
    g_return_val_if_fail(session && pix_image_check(in) && pix_image_check(out), FALSE);
    PixDevice *device = session->model->device;
    const PixTensor *x = pix_run_input(session->run), *y = pix_run_output(session->run);
    if (!check_output(session, error) || !check_image(session, in, x->shape.c, "input", error) ||
        !check_image(session, out, y->shape.c, "output", error))
        return FALSE;
    double before = pix_clock_ms();
    if (!device->backend->write_image(device, x, in, session->options.content, error))
        return FALSE;
    session->times.pack_ms = pix_clock_ms() - before;
    if (!run_network(session, error))
        return FALSE;
    before = pix_clock_ms();
    if (!device->backend->read_image(device, y, out, session->options.content, error))
        return FALSE;
    session->times.unpack_ms = pix_clock_ms() - before;
    return TRUE;
}

gboolean pix_session_forward(PixSession *session, const float *x, float *y, GError **error)
{
    g_return_val_if_fail(session && x && y, FALSE);
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
    return pix_run_bytes(session->run);
}
