/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The forward walk and the backward walk: a graph with its memory on a device, ready to run again and
 * again.
 */
#ifndef PIX_RUN_H
#define PIX_RUN_H

#include "backend.h"
#include "graph.h"

/** PixRun: Thread-safety: one thread at a time. */
typedef struct PixRun PixRun;

/**
 * pix_run_new:
 * @graph: with shapes; kept by the run.  @params: (transfer none): one tensor for each parameter of
 * the graph; they must outlive the run.  @fixed: whether their values stay as they are meanwhile, so
 * that they can be made ready once.  @maps: what those are kept in.  Allocates everything that running
 * needs.
 * Errors: NO_MEMORY, UNSUPPORTED for an op that the device cannot do, DEVICE_LOST.
 */
PixRun *pix_run_new(PixGraph *graph, PixDevice *device, const PixTensor *params, bool fixed,
                    PixDtype maps, GError **error);
/**
 * pix_run_new_training:
 * As pix_run_new() of F32, with memory to go backward. @gradients: (transfer none): one tensor for each
 * parameter; they must outlive the run.  @input_gradient: whether that of the input can be asked for.
 * Errors: UNSUPPORTED also for an op that the device cannot do backward.
 */
PixRun *pix_run_new_training(PixGraph *graph, PixDevice *device, const PixTensor *params,
                             const PixTensor *gradients, bool input_gradient, GError **error);
void pix_run_free(PixRun *run); /* accepts NULL */

const PixTensor *pix_run_input(const PixRun *run);
const PixTensor *pix_run_output(const PixRun *run);
/** pix_run_node: The output of node @index. */
const PixTensor *pix_run_node(const PixRun *run, int index);
/** Without a buffer where the run has none. */
const PixTensor *pix_run_input_gradient(const PixRun *run);
const PixTensor *pix_run_output_gradient(const PixRun *run);
size_t pix_run_bytes(const PixRun *run);

PixDevice *pix_run_device(const PixRun *run); /* (transfer none) */
/** pix_run_set_frame: Which one recordings of pix_run_ask() do from their next submission on. */
void pix_run_set_frame(PixRun *run, PixFrame frame);
/** pix_run_ask: Asks for the way forward once, as part of what is being recorded. */
void pix_run_ask(PixRun *run);

/** pix_run_forward: Computes the output from the input; returns when it is there. */
bool pix_run_forward(PixRun *run, PixFrame frame, GError **error);

/**
 * pix_run_measure:
 * Once more forward on the same input, for the layers' times where the device records; those of the
 * others are of every run.  Errors: NO_MEMORY, DEVICE_LOST.
 */
bool pix_run_measure(PixRun *run, GError **error);

/** PixBackward: what a backward walk is for. */
typedef struct {
    bool params; /* the gradients of the parameters: they are added to, */
    bool fresh;  /* or overwritten */
    bool input;  /* the gradient of the input, overwritten */
} PixBackward;

/**
 * pix_run_backward:
 * Goes back from the output's gradient, which is destroyed. After pix_run_forward(), whose inputs are
 * still there; once.
 */
bool pix_run_backward(PixRun *run, PixBackward what, GError **error);

/**
 * pix_run_layers: One entry for each node that does something: of the last run, or in training the
 * sum over all since pix_run_clear_layers().
 */
const PixLayerTime *pix_run_layers(const PixRun *run, guint *n_layers);
/** pix_run_backward_layers: The same of the way back, in its order; none for inference. */
const PixLayerTime *pix_run_backward_layers(const PixRun *run, guint *n_layers);
void pix_run_clear_layers(PixRun *run);
/** pix_run_time_layers: With @each, waits for each layer of training, so that its time is its own. */
void pix_run_time_layers(PixRun *run, bool each);

#endif
