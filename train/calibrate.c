/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "calibrate.h"

#include "command.h"
#include "median.h"
#include "mix-search.h"
#include "progress.h"

#include <math.h>
#include <string.h>

#define WARM_UP 2         /* frames */
#define FRAMES 15         /* that are timed */
#define MAX_SAMPLES 6     /* pictures on which layers are looked at one by one */
#define LEAST_ERROR 1e-12 /* mean squared: equal pictures have a PSNR, too */

typedef struct {
    PixModel *model;
    const CalibrationSet *set;
    guint n;          /* convolutions */
    MixLayer *layers; /* as many */
    gsize n_in, n_out;
    float *x, *y, *exact;           /* the network's input, its output, and that in FP32 */
    PixSession *session;            /* in FP32 */
    guint n_samples;                /* some pictures, evenly spread over the set */
    float *sample_x, *sample_exact; /* of each: as x and exact */
    guint first; /* the picture that is looked at first: it ruled the last mix out */
} Calibration;

static void calibration_clear(Calibration *c)
{
    pix_session_free(c->session);
    g_free(c->layers);
    g_free(c->x);
    g_free(c->y);
    g_free(c->exact);
    g_free(c->sample_x);
    g_free(c->sample_exact);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Calibration, calibration_clear)

static PixSession *open_session(const Calibration *c, const PixPrecision *mix, GError **error)
{
    PixSessionOptions options;

    pix_session_options_init(&options, c->model);
    options.mix = mix;
    return pix_session_new(c->model, &options, error);
}

/* FP32 everywhere, but @precision at @layer, or at all of them for -1. */
static PixSession *open_uniform(const Calibration *c, PixPrecision precision, int layer,
                                GError **error)
{
    g_autofree PixPrecision *mix = g_new(PixPrecision, c->n);

    for (guint i = 0; i < c->n; i++)
        mix[i] = layer < 0 || (guint)layer == i ? precision : PIX_PRECISION_FP32;
    return open_session(c, mix, error);
}

static gboolean calibration_init(Calibration *c, PixModel *model, const CalibrationSet *set,
                                 GError **error)
{
    const PixModelInfo *info = pix_model_get_info(model);
    int out[4];

    *c = (Calibration){.model = model, .set = set, .n = pix_model_get_n_convolutions(model)};
    c->session = open_uniform(c, PIX_PRECISION_FP32, -1, error);
    if (!c->session)
        return FALSE;
    pix_session_get_output(c->session, out);
    c->n_in = (gsize)info->in_channels * info->height * info->width;
    c->n_out = (gsize)out[1] * out[2] * out[3];
    c->layers = g_new0(MixLayer, c->n);
    c->x = g_new(float, c->n_in);
    c->y = g_new(float, c->n_out);
    c->exact = g_new(float, c->n_out);
    return TRUE;
}

static gboolean check_interrupted(GError **error)
{
    if (!command_interrupted())
        return TRUE;
    g_set_error(error, PIX_ERROR, PIX_ERROR_IO, "interrupted, nothing was written");
    return FALSE;
}

/* ---- times ---- */

/* @ms: (out): of the convolutions, and after them of the whole network: of the last frame. */
static void read_times(PixSession *session, double *ms)
{
    const PixTimes *times = pix_session_get_times(session);

    for (guint i = 0; i < times->n_layers; i++) {
        if (times->layers[i].precision != PIX_PRECISION_AUTO)
            *ms++ = times->layers[i].ms;
    }
    *ms = times->network_ms;
}

/*
 * Medians of @sessions in turn, so that what else the machine does meets all of them alike.
 * @ms: (out): (n_sessions, n + 1), as read_times() gives them.
 */
static gboolean measure_times(Calibration *c, PixSession *const *sessions, guint n_sessions,
                              double *ms, GError **error)
{
    const gsize row = c->n + 1, rows = n_sessions * row;
    g_autofree double *frame = g_new(double, row);
    g_autofree double *all = g_new(double, rows *FRAMES);

    for (int f = -WARM_UP; f < FRAMES; f++) {
        for (guint s = 0; s < n_sessions; s++) {
            if (!check_interrupted(error) || !pix_session_forward(sessions[s], c->x, c->y, error))
                return FALSE;
            read_times(sessions[s], frame);
            for (gsize i = 0; i < row && f >= 0; i++)
                all[(s * row + i) * FRAMES + f] = frame[i];
        }
    }
    for (gsize i = 0; i < rows; i++)
        ms[i] = median_of(all + i * FRAMES, FRAMES);
    return TRUE;
}

/* Of each layer in each precision. */
static gboolean time_choices(Calibration *c, GError **error)
{
    g_autoptr(PixSession) half = open_uniform(c, mix_choices[1], -1, error);
    g_autoptr(PixSession) bytes = half ? open_uniform(c, mix_choices[2], -1, error) : NULL;
    PixSession *const sessions[MIX_CHOICES] = {c->session, half, bytes};
    const gsize row = c->n + 1;
    g_autofree double *ms = g_new(double, row *MIX_CHOICES);

    if (!bytes || !calibration_set_read(c->set, 0, c->x, error) ||
        !measure_times(c, sessions, MIX_CHOICES, ms, error))
        return FALSE;
    for (int choice = 0; choice < MIX_CHOICES; choice++)
        for (guint i = 0; i < c->n; i++)
            c->layers[i].ms[choice] = ms[choice * row + i];
    return TRUE;
}

static gboolean time_result(Calibration *c, Calibrated *result, GError **error)
{
    g_autoptr(PixSession) mixed = open_session(c, result->mix, error);
    PixSession *const sessions[] = {c->session, mixed};
    g_autofree double *ms = g_new(double, 2 * (c->n + 1));

    if (!mixed || !measure_times(c, sessions, 2, ms, error))
        return FALSE;
    result->exact_ms = g_memdup2(ms, c->n * sizeof(*ms));
    result->exact_network_ms = ms[c->n];
    result->mix_ms = g_memdup2(ms + c->n + 1, c->n * sizeof(*ms));
    result->mix_network_ms = ms[2 * c->n + 1];
    return TRUE;
}

/* ---- errors ---- */

/* Mean squared; infinite where the numbers overflow. */
static double compare(const float *y, const float *exact, gsize n)
{
    double squares = 0;

    for (gsize i = 0; i < n; i++)
        squares += ((double)y[i] - exact[i]) * ((double)y[i] - exact[i]);
    return isfinite(squares) ? squares / n : INFINITY;
}

/* The input of picture @index and what FP32 makes of it. */
static gboolean run_exact(Calibration *c, guint index, GError **error)
{
    if (!check_interrupted(error) || !calibration_set_read(c->set, index, c->x, error) ||
        !pix_session_forward(c->session, c->x, c->exact, error))
        return FALSE;
    if (compare(c->exact, c->exact, c->n_out) == 0)
        return TRUE;
    g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_CHECKPOINT,
                "the network's numbers overflow, use an earlier checkpoint");
    return FALSE;
}

static gboolean take_samples(Calibration *c, GError **error)
{
    guint all = calibration_set_get_n(c->set);

    c->n_samples = MIN(all, MAX_SAMPLES);
    c->sample_x = g_new(float, c->n_samples * c->n_in);
    c->sample_exact = g_new(float, c->n_samples * c->n_out);
    for (guint i = 0; i < c->n_samples; i++) {
        if (!run_exact(c, (guint)((guint64)i * all / c->n_samples), error))
            return FALSE;
        memcpy(c->sample_x + i * c->n_in, c->x, c->n_in * sizeof(float));
        memcpy(c->sample_exact + i * c->n_out, c->exact, c->n_out * sizeof(float));
    }
    return TRUE;
}

/* That of the worst sample where @layer alone has @choice. */
static gboolean measure_error(Calibration *c, guint layer, int choice, GError **error)
{
    g_autoptr(PixSession) session = open_uniform(c, mix_choices[choice], (int)layer, error);
    double worst = 0;

    for (guint i = 0; i < c->n_samples; i++) {
        if (!session || !check_interrupted(error) ||
            !pix_session_forward(session, c->sample_x + i * c->n_in, c->y, error))
            return FALSE;
        worst = MAX(worst, compare(c->y, c->sample_exact + i * c->n_out, c->n_out));
    }
    /* No difference at all: there is no kernel for it, and the time saved is noise. */
    c->layers[layer].error[choice] = worst > 0 ? worst : INFINITY;
    return TRUE;
}

static gboolean measure_errors(Calibration *c, GError **error)
{
    Progress progress;
    gboolean ok = take_samples(c, error);

    progress_init(&progress, "layers", (int)c->n);
    for (guint i = 0; i < c->n && ok; i++) {
        progress_update(&progress, (int)i);
        for (int choice = 1; choice < MIX_CHOICES && ok; choice++)
            ok = measure_error(c, i, choice, error);
    }
    progress_clear(&progress);
    return ok;
}

/* ---- mixes ---- */

/* A MixTry on all pictures, that which ruled out the last mix first. */
static gboolean try_mix(gpointer data, const PixPrecision *mix, double bound, double *worst,
                        GError **error)
{
    Calibration *c = data;
    guint all = calibration_set_get_n(c->set), first = c->first;
    g_autoptr(PixSession) session = open_session(c, mix, error);
    Progress progress;
    gboolean ok = session != NULL;

    *worst = 0;
    progress_init(&progress, "pictures", (int)all);
    for (guint i = 0; i < all && ok && *worst < bound; i++) {
        guint index = (first + i) % all;
        progress_update(&progress, (int)i);
        ok = run_exact(c, index, error) && pix_session_forward(session, c->x, c->y, error);
        double found = ok ? compare(c->y, c->exact, c->n_out) : 0;
        if (found > *worst)
            c->first = index;
        *worst = MAX(*worst, found);
    }
    progress_clear(&progress);
    return ok;
}

/* "model.model.0: conv 3x256x256 ..." -> "model.model.0" */
static char **list_names(const Calibration *c)
{
    const PixTimes *times = pix_session_get_times(c->session);
    char **names = g_new0(char *, c->n + 1);

    for (guint i = 0, n = 0; i < times->n_layers; i++) {
        const char *name = times->layers[i].name;
        if (times->layers[i].precision != PIX_PRECISION_AUTO)
            names[n++] = g_strndup(name, strcspn(name, ":"));
    }
    return names;
}

void calibrated_clear(Calibrated *calibrated)
{
    g_strfreev(calibrated->names);
    g_free(calibrated->mix);
    g_free(calibrated->exact_ms);
    g_free(calibrated->mix_ms);
}

gboolean calibrate(PixModel *model, const CalibrationSet *set, double psnr, Calibrated *calibrated,
                   GError **error)
{
    g_auto(Calibration) c = {0};
    double bound = 4 / pow(10, psnr / 10), worst = 0;

    *calibrated = (Calibrated){0};
    if (!calibration_init(&c, model, set, error) || !time_choices(&c, error) ||
        !measure_errors(&c, error))
        return FALSE;
    calibrated->n = c.n;
    calibrated->names = list_names(&c);
    calibrated->mix = g_new(PixPrecision, c.n);
    calibrated->pictures = calibration_set_get_n(set);
    if (!mix_search(c.layers, c.n, bound, try_mix, &c, calibrated->mix, &worst, error))
        return FALSE;
    calibrated->psnr = 10 * log10(4 / MAX(worst, LEAST_ERROR));
    return time_result(&c, calibrated, error);
}
