/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "calibration.h"

#include <math.h>
#include <string.h>

#define MAX_SAMPLES 6

/** Samples: some pictures, evenly spread over the set, on which layers are looked at one by one. */
typedef struct {
    guint n;
    float *x, *exact; /* of each: as of Calibration */
} Samples;

static void samples_clear(Samples *samples)
{
    g_free(samples->x);
    g_free(samples->exact);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Samples, samples_clear)

static gboolean take_samples(Calibration *c, Samples *samples, GError **error)
{
    guint all = calibration_set_get_n(c->set);

    samples->x = g_new(float, samples->n * c->n_in);
    samples->exact = g_new(float, samples->n * c->n_out);
    for (guint i = 0; i < samples->n; i++) {
        guint index = (guint)((guint64)i * all / samples->n);
        if (!calibration_go_on(c, error) || !calibration_run_exact(c, index, error))
            return FALSE;
        memcpy(samples->x + i * c->n_in, c->x, c->n_in * sizeof(float));
        memcpy(samples->exact + i * c->n_out, c->exact, c->n_out * sizeof(float));
    }
    return TRUE;
}

/* That of the worst sample where @layer alone has @choice. */
static gboolean measure_error(Calibration *c, const Samples *samples, guint layer, int choice,
                              GError **error)
{
    g_autoptr(PixSession) session =
        calibration_open_uniform(c, mix_choices[choice], (int)layer, error);
    double worst = 0;

    for (guint i = 0; i < samples->n; i++) {
        if (!session || !calibration_go_on(c, error) ||
            !pix_session_forward(session, samples->x + i * c->n_in, c->y, error))
            return FALSE;
        worst = MAX(worst, calibration_compare(c->y, samples->exact + i * c->n_out, c->n_out));
    }
    c->layers[layer].error[choice] = worst;
    return TRUE;
}

static guint count_choices(const Calibration *c)
{
    guint n = 0;

    for (guint i = 0; i < c->n; i++)
        for (int choice = 1; choice < MIX_CHOICES; choice++)
            n += !isinf(c->layers[i].error[choice]);
    return n;
}

gboolean calibration_measure_errors(Calibration *c, GError **error)
{
    g_auto(Samples) samples = {.n = MIN(calibration_set_get_n(c->set), MAX_SAMPLES)};

    calibration_begin(c, "frames to compare", samples.n * (1 + count_choices(c)));
    gboolean ok = take_samples(c, &samples, error);
    for (guint i = 0; i < c->n && ok; i++) {
        for (int choice = 1; choice < MIX_CHOICES && ok; choice++)
            ok = isinf(c->layers[i].error[choice]) || measure_error(c, &samples, i, choice, error);
    }
    calibration_end(c);
    return ok;
}
