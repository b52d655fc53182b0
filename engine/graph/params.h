/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * One value for each parameter of a graph, in one block of a device's memory: weights, and in
 * training also their gradients, Adam's moments and moving averages, all laid out alike.
 */
#ifndef PIX_PARAMS_H
#define PIX_PARAMS_H

#include "backend.h"
#include "graph.h"

typedef struct {
    PixDevice *device;
    PixDtype weights;
    PixBuffer *buffer;
    PixTensor *tensors;   /* one for each parameter; one that is left out has no buffer */
    size_t trained_bytes; /* weights come first, then trained vectors, then the running statistics:
                             all vectors of a layer are near each other */
    size_t bytes;
} PixParams;

/**
 * pix_params_new:
 * Reserves memory without touching it. @weights: what those are kept in.  @trained_only: leaves
 * running statistics out. Errors: NO_MEMORY.
 */
PixParams *pix_params_new(const PixGraph *graph, PixDevice *device, PixDtype weights,
                          bool trained_only, GError **error);
void pix_params_free(PixParams *params); /* accepts NULL */

/** pix_params_trained: Trained parameters as a range; the same for all blocks of one graph. */
PixRange pix_params_trained(const PixParams *params);
/** pix_params_range: Parameter @index. */
PixRange pix_params_range(const PixParams *params, const PixGraph *graph, int index);

/** pix_params_write, pix_params_read: Values of parameter @index, row-major, in PyTorch's order. */
bool pix_params_write(PixParams *params, const PixGraph *graph, int index, const float *values,
                      GError **error);
bool pix_params_read(const PixParams *params, const PixGraph *graph, int index, float *values,
                     GError **error);
/** pix_params_settle: Until all is there that was written. Errors: why some of it is not. */
bool pix_params_settle(PixParams *params, GError **error);

/** pix_params_value_bytes: Of all values, without what lies between them. */
size_t pix_params_value_bytes(const PixParams *params, const PixGraph *graph);

/** pix_params_largest: The number of values of the largest parameter; at least 1. */
size_t pix_params_largest(const PixGraph *graph);

#endif
