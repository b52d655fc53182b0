/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * A network with its weights on a device: what sessions need of a PixModel.
 */
#ifndef PIX_MODEL_H
#define PIX_MODEL_H

#include <pix2pix/pix.h>

#include "backend.h"
#include "graph.h"

struct PixModel {
    gatomicrefcount references;
    PixDevice *device;
    PixModelInfo info; /* its strings belong to the model */
    char *name;        /* of the file, for messages */
    PixGraph *graph;   /* without shapes */
    PixBuffer *weights;
    PixTensor *params; /* one for each parameter of the graph, all in @weights */
};

/** pix_default_model: The bytes of the model that is compiled in. (transfer full) */
GBytes *pix_default_model(void);

#endif
