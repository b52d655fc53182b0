/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * A network with its weights on a device: what sessions need of a PixModel.
 */
#ifndef PIX_MODEL_H
#define PIX_MODEL_H

#include <pix2pix/pix.h>

#include "params.h"

struct PixModel {
    gint references; /* atomic */
    PixDevice *device;
    PixModelInfo info;      /* its strings belong to the model */
    char *name;             /* of the file, for messages */
    PixPrecision precision; /* AUTO: the mix is the file's */
    PixFormat format;
    PixPrecision *mix; /* of each convolution; NULL: all are as the maps */
    PixGraph *graph;   /* without shapes */
    PixParams *params; /* its weights */
    bool learns;       /* they change while sessions run */
};

/**
 * pix_model_empty:
 * A model of @graph whose weights are not set yet. @info: copied.  @graph: (transfer full).
 * Errors: NO_MEMORY, UNSUPPORTED.
 */
PixModel *pix_model_empty(PixDevice *device, PixGraph *graph, const PixModelInfo *info,
                          const char *name, PixPrecision precision, GError **error);

/** pix_default_model: The bytes of the model that is compiled in. (transfer full) */
GBytes *pix_default_model(void);

#endif
