/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** One picture in, the translated picture of the same size out. */
#ifndef TRANSLATE_H
#define TRANSLATE_H

#include "image-file.h"

#include <pix2pix/pix.h>

typedef struct {
    PixModel *model;
    PixSessionOptions options; /* width and height: the network's size for "stretch" */
    gboolean native;           /* the picture's own size instead, its border continued up to the
                                  network's multiple */
    PixSession *session;       /* of the last picture's size */
    double network_ms;         /* of all pictures so far */
} Translator;

/**
 * translator_init:
 * @model: (transfer none): with 1, 3 or 4 channels in and out.
 * Errors: %PIX_ERROR_UNSUPPORTED for other channels, those of pix_session_new().
 */
gboolean translator_init(Translator *translator, PixModel *model, const PixSessionOptions *options,
                         gboolean native, GError **error);
void translator_clear(Translator *translator);
/** translator_use: Another copy of the model from here on, on another device. */
void translator_use(Translator *translator, PixModel *model);
/**
 * translator_run:
 * @in: of any channels; picture_convert() makes those of the model.
 * Returns: (transfer full): of the size of @in and the model's channels.
 */
Picture *translator_run(Translator *translator, const Picture *in, GError **error);

#endif
