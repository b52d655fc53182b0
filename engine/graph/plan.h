/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Which activation lives where and how long: the only place that sizes memory.
 */
#ifndef PIX_PLAN_H
#define PIX_PLAN_H

#include "backend.h"
#include "graph.h"

typedef struct {
    PixTensor *tensors; /* of each node's output, in one block; buffer is NULL until it exists */
    size_t block_bytes;
    size_t n_tensors;
} PixPlan;

/**
 * pix_plan_new:
 * Lays out the activations of an inference run of @graph, whose shapes are known, on @device.
 * Parts of a concatenation are placed in it where nothing else holds them; ops that can work in
 * place do; memory that nothing reads any more is used again.
 * Errors: BAD_SHAPE where the sum overflows.
 */
PixPlan *pix_plan_new(const PixGraph *graph, const PixDevice *device, GError **error);
void pix_plan_free(PixPlan *plan); /* accepts NULL */

#endif
