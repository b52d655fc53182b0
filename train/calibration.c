/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "calibration.h"

#include "command.h"

#include <math.h>

gboolean calibration_init(Calibration *c, PixModel *model, const CalibrationSet *set,
                          GError **error)
{
    const PixModelInfo *info = pix_model_get_info(model);
    int out[4];

    *c = (Calibration){.model = model, .set = set, .n = pix_model_get_n_convolutions(model)};
    c->session = calibration_open_uniform(c, PIX_PRECISION_FP32, -1, error);
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

void calibration_clear(Calibration *c)
{
    calibration_end(c);
    pix_session_free(c->session);
    g_free(c->layers);
    g_free(c->x);
    g_free(c->y);
    g_free(c->exact);
}

PixSession *calibration_open(const Calibration *c, const PixPrecision *mix, GError **error)
{
    PixSessionOptions options;

    pix_session_options_init(&options, c->model);
    options.mix = mix;
    return pix_session_new(c->model, &options, error);
}

PixSession *calibration_open_uniform(const Calibration *c, PixPrecision precision, int layer,
                                     GError **error)
{
    g_autofree PixPrecision *mix = g_new(PixPrecision, c->n);

    for (guint i = 0; i < c->n; i++)
        mix[i] = layer < 0 || (guint)layer == i ? precision : PIX_PRECISION_FP32;
    return calibration_open(c, mix, error);
}

void calibration_begin(Calibration *c, const char *what, guint total)
{
    progress_init(&c->progress, what, (int)total);
    c->done = 0;
}

void calibration_end(Calibration *c)
{
    progress_clear(&c->progress);
}

gboolean calibration_go_on(Calibration *c, GError **error)
{
    progress_update(&c->progress, c->done++);
    if (!command_interrupted())
        return TRUE;
    g_set_error(error, PIX_ERROR, PIX_ERROR_IO, "interrupted, nothing was written");
    return FALSE;
}

double calibration_compare(const float *y, const float *exact, gsize n)
{
    double squares = 0;

    for (gsize i = 0; i < n; i++)
        squares += ((double)y[i] - exact[i]) * ((double)y[i] - exact[i]);
    return isfinite(squares) ? squares / n : INFINITY;
}

gboolean calibration_run_exact(Calibration *c, guint index, GError **error)
{
    if (!calibration_set_read(c->set, index, c->x, error) ||
        !pix_session_forward(c->session, c->x, c->exact, error))
        return FALSE;
    if (calibration_compare(c->exact, c->exact, c->n_out) == 0)
        return TRUE;
    g_autofree char *name = calibration_set_get_name(c->set, index);
    g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_CHECKPOINT,
                "the network's numbers overflow on %s, use an earlier checkpoint", name);
    return FALSE;
}
