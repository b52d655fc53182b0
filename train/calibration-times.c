/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "calibration.h"

#include "median.h"

#define WARM_UP 2 /* frames */
#define FRAMES 15 /* that are timed */

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
static gboolean measure(Calibration *c, PixSession *const *sessions, guint n_sessions, double *ms,
                        GError **error)
{
    const gsize row = c->n + 1, rows = n_sessions * row;
    g_autofree double *frame = g_new(double, row);
    g_autofree double *all = g_new(double, rows *FRAMES);

    calibration_begin(c, "frames to time", (WARM_UP + FRAMES) * n_sessions);
    for (int f = -WARM_UP; f < FRAMES; f++) {
        for (guint s = 0; s < n_sessions; s++) {
            if (!calibration_go_on(c, error) ||
                !pix_session_forward(sessions[s], c->x, c->y, error))
                return FALSE;
            read_times(sessions[s], frame);
            for (gsize i = 0; i < row && f >= 0; i++)
                all[(s * row + i) * FRAMES + f] = frame[i];
        }
    }
    calibration_end(c);
    for (gsize i = 0; i < rows; i++)
        ms[i] = median_of(all + i * FRAMES, FRAMES);
    return TRUE;
}

gboolean calibration_time_layers(Calibration *c, GError **error)
{
    g_autoptr(PixSession) half = calibration_open_uniform(c, mix_choices[1], -1, error);
    g_autoptr(PixSession) bytes =
        half ? calibration_open_uniform(c, mix_choices[2], -1, error) : NULL;
    PixSession *const sessions[MIX_CHOICES] = {c->session, half, bytes};
    const gsize row = c->n + 1;
    g_autofree double *ms = g_new(double, row *MIX_CHOICES);

    if (!bytes || !calibration_set_read(c->set, 0, c->x, error) ||
        !measure(c, sessions, MIX_CHOICES, ms, error))
        return FALSE;
    for (int choice = 0; choice < MIX_CHOICES; choice++)
        for (guint i = 0; i < c->n; i++)
            c->layers[i].ms[choice] = ms[choice * row + i];
    return TRUE;
}

gboolean calibration_time_mix(Calibration *c, const PixPrecision *mix, double *ms, GError **error)
{
    g_autoptr(PixSession) mixed = calibration_open(c, mix, error);
    PixSession *const sessions[] = {c->session, mixed};

    return mixed && measure(c, sessions, G_N_ELEMENTS(sessions), ms, error);
}
