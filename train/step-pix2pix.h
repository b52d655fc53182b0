/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** The step of pix2pix inside. For step-pix2pix*.c. */
#ifndef STEP_PIX2PIX_H
#define STEP_PIX2PIX_H

#include "step.h"

typedef struct {
    Step base;
    const Settings *settings;
    PixDevice *device;
    PixNetwork *g, *d;        /* d: NULL without a discriminator */
    PixPass *g_pass, *d_pass; /* NULL until pix2pix_reserve() */
    PixPenalty *penalty;      /* of wgangp; NULL for the others */
    PixMap *target;
    PixMap *real_pair, *fake_pair; /* what d sees; of wgangp */
    PixFigures *figures;           /* what is asked for and not yet looked at */
    GArray *held;                  /* of Batch: those that wait for the generator's turn */
    int n, width, height;          /* what all of these are for */
} Pix2pix;

/* ---- step-pix2pix-memory.c: what batches of one size need ---- */

/** pix2pix_reserve, pix2pix_get_bytes: As StepKind.reserve and StepKind.get_bytes. */
gboolean pix2pix_reserve(Step *base, int n, int width, int height, GError **error);
guint64 pix2pix_get_bytes(const Step *base);
/** pix2pix_release: Frees all that pix2pix_reserve() made, if there is anything. */
void pix2pix_release(Pix2pix *step);

#endif
