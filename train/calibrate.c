/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "calibrate.h"

#include "calibration.h"

#include <math.h>
#include <string.h>

/** Trials: what a mix is tried on. */
typedef struct {
    Calibration *c;
    guint n;     /* so many until now */
    guint first; /* the picture that is looked at first: it ruled the last mix out */
} Trials;

/* A file that cannot be read is found before the minutes that follow. */
static gboolean check_pictures(Calibration *c, GError **error)
{
    guint n = calibration_set_get_n(c->set);
    gboolean ok = TRUE;

    calibration_begin(c, "pictures looked at", n);
    for (guint i = 0; i < n && ok; i++)
        ok = calibration_go_on(c, error) && calibration_set_read(c->set, i, c->x, error);
    calibration_end(c);
    return ok;
}

/* A MixTry on all pictures, that which ruled out the last mix first. */
static gboolean try_mix(gpointer data, const PixPrecision *mix, double bound, double *worst,
                        GError **error)
{
    Trials *trials = data;
    Calibration *c = trials->c;
    guint all = calibration_set_get_n(c->set), first = trials->first;
    g_autoptr(PixSession) session = calibration_open(c, mix, error);
    g_autofree char *what = g_strdup_printf("pictures with mix %u", ++trials->n);
    gboolean ok = session != NULL;

    *worst = 0;
    calibration_begin(c, what, all);
    for (guint i = 0; i < all && ok && *worst < bound; i++) {
        guint index = (first + i) % all;
        ok = calibration_go_on(c, error) && calibration_run_exact(c, index, error) &&
             pix_session_forward(session, c->x, c->y, error);
        double found = ok ? calibration_compare(c->y, c->exact, c->n_out) : 0;
        if (found > *worst)
            trials->first = index;
        *worst = MAX(*worst, found);
    }
    calibration_end(c);
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

/* Takes @mix, if it is faster: its layers were timed among others of their own precision. */
static gboolean weigh_mix(Calibration *c, const PixPrecision *mix, double worst,
                          Calibrated *calibrated, GError **error)
{
    g_autofree double *ms = g_new(double, 2 * (c->n + 1));
    const double *exact_ms = ms, *mix_ms = ms + c->n + 1;

    if (!calibration_time_mix(c, mix, ms, error))
        return FALSE;
    if (mix_ms[c->n] >= exact_ms[c->n])
        return TRUE;
    *calibrated = (Calibrated){
        .mix = g_memdup2(mix, c->n * sizeof(*mix)),
        .n = c->n,
        .names = list_names(c),
        .exact_ms = g_memdup2(exact_ms, c->n * sizeof(*exact_ms)),
        .mix_ms = g_memdup2(mix_ms, c->n * sizeof(*mix_ms)),
        .exact_network_ms = exact_ms[c->n],
        .mix_network_ms = mix_ms[c->n],
        .psnr = 10 * log10(4 / worst),
        .pictures = calibration_set_get_n(c->set),
    };
    return TRUE;
}

void calibrated_clear(Calibrated *calibrated)
{
    g_strfreev(calibrated->names);
    g_free(calibrated->mix);
    g_free(calibrated->exact_ms);
    g_free(calibrated->mix_ms);
}

gboolean calibrate(PixModel *model, PixCheckpoint *checkpoint, const CalibrationSet *set,
                   double psnr, Calibrated *calibrated, GError **error)
{
    g_auto(Calibration) c = {0};
    Trials trials = {.c = &c};
    double bound = 4 / pow(10, psnr / 10), worst;

    *calibrated = (Calibrated){0};
    if (!calibration_init(&c, model, set, error) || !check_pictures(&c, error) ||
        !calibration_find_choices(&c, checkpoint, error) || !calibration_time_layers(&c, error) ||
        !calibration_measure_errors(&c, error))
        return FALSE;
    g_autofree PixPrecision *mix = g_new(PixPrecision, c.n);
    if (!mix_search(c.layers, c.n, bound, try_mix, &trials, mix, &worst, error))
        return FALSE;
    return worst == 0 || weigh_mix(&c, mix, worst, calibrated, error);
}
