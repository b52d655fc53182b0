/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Which activation, and in training which gradient, lives where and how long: the only place that
 * sizes memory.
 */
#ifndef PIX_PLAN_H
#define PIX_PLAN_H

#include "backend.h"
#include "graph.h"

/** PixPlanKind: what a run will be asked for. */
typedef enum {
    PIX_PLAN_INFERENCE,
    PIX_PLAN_TRAINING,       /* gradients of the parameters */
    PIX_PLAN_TRAINING_INPUT, /* and of the input */
} PixPlanKind;

typedef struct {
    /* One of each for every node, all in one block; buffer is NULL until it exists. Tensors that a
     * run of this kind does not have are without shape. */
    PixTensor *outputs, *gradients;
    PixTensor (*saved)[PIX_MAX_SAVED];
    size_t block_bytes;
    size_t n_nodes;
} PixPlan;

/**
 * pix_plan_new:
 * Lays out a run of @graph, whose shapes are known, on @device. @maps: what those are kept in.
 * Parts of a concatenation are placed in it where nothing else holds them; ops that can work in place
 * do; memory that nothing reads any more is used again. In training whatever backward reads is kept
 * until then, and so are inputs.
 * Errors: BAD_SHAPE where the sum overflows.
 */
PixPlan *pix_plan_new(const PixGraph *graph, const PixDevice *device, PixDtype maps,
                      PixPlanKind kind, GError **error);
void pix_plan_free(PixPlan *plan); /* accepts NULL */

/** pix_plan_set_buffer: From here on all tensors lie in @block. */
void pix_plan_set_buffer(PixPlan *plan, PixBuffer *block);

#endif
