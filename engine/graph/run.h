/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The forward walk: a graph with its memory on a device, ready to run again and again.
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
 * the graph; they must outlive the run.  Allocates everything that running needs.
 * Errors: NO_MEMORY, UNSUPPORTED for an op that the device cannot do, DEVICE_LOST.
 */
PixRun *pix_run_new(PixGraph *graph, PixDevice *device, const PixTensor *params, GError **error);
void pix_run_free(PixRun *run); /* accepts NULL */

const PixTensor *pix_run_input(const PixRun *run);
const PixTensor *pix_run_output(const PixRun *run);
size_t pix_run_bytes(const PixRun *run);

/** pix_run_forward: Computes the output from the input; returns when it is there. */
bool pix_run_forward(PixRun *run, PixFrame frame, GError **error);

/** pix_run_layers: One entry for each node that does something, with the last run's times. */
const PixLayerTime *pix_run_layers(const PixRun *run, guint *n_layers);

#endif
