/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "calibration.h"

#include <math.h>

/* A session as users of the mix get it: each layer follows @mix only where it is to gain by that. */
static PixSession *open_auto(const Calibration *c, PixCheckpoint *checkpoint,
                             const PixPrecision *mix, GError **error)
{
    PixDevice *device = pix_model_get_device(c->model);
    PixSessionOptions options;

    pix_checkpoint_set_mix(checkpoint, mix, 0, 1);
    g_autoptr(PixModel) model = pix_model_new(device, checkpoint, PIX_PRECISION_AUTO, error);
    pix_checkpoint_set_mix(checkpoint, NULL, 0, 0);
    if (!model)
        return NULL;
    pix_session_options_init(&options, model);
    return pix_session_new(model, &options, error);
}

static gboolean find_layers(Calibration *c, PixCheckpoint *checkpoint, int choice, GError **error)
{
    g_autofree PixPrecision *mix = g_new(PixPrecision, c->n);

    for (guint i = 0; i < c->n; i++)
        mix[i] = mix_choices[choice];
    g_autoptr(PixSession) session = open_auto(c, checkpoint, mix, error);
    if (!session)
        return FALSE;
    const PixTimes *times = pix_session_get_times(session);
    for (guint i = 0, n = 0; i < times->n_layers; i++) {
        PixPrecision done = times->layers[i].precision;
        if (done != PIX_PRECISION_AUTO)
            c->layers[n++].error[choice] = done == mix_choices[choice] ? 0 : INFINITY;
    }
    return TRUE;
}

gboolean calibration_find_choices(Calibration *c, PixCheckpoint *checkpoint, GError **error)
{
    gboolean ok = TRUE;

    calibration_begin(c, "precisions tried", MIX_CHOICES - 1);
    for (int choice = 1; choice < MIX_CHOICES && ok; choice++)
        ok = calibration_go_on(c, error) && find_layers(c, checkpoint, choice, error);
    calibration_end(c);
    return ok;
}
