/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Rewrites a graph for inference: the same function of its input in fewer passes over memory.
 */
#ifndef PIX_FUSE_H
#define PIX_FUSE_H

#include "backend.h"
#include "graph.h"

/**
 * pix_graph_set_modes:
 * @running: batch norms use running statistics.  @dropout: dropout layers drop.
 * Errors: UNSUPPORTED, naming a norm that has no running statistics.
 */
bool pix_graph_set_modes(PixGraph *graph, bool running, bool dropout, GError **error);

/**
 * pix_graph_fuse:
 * Returns: (transfer full): a graph that computes what @graph does, up to rounding:
 * - dropouts that are off are gone;
 * - activations of a concatenation are applied to its parts, and then, where they are the only
 *   readers, by the convolution or norm before them;
 * - norms, with the dropout behind them, and paddings are done by the convolution beside them.
 * - on a device whose convolutions can, a ReLU of a concatenation is done by the only one that reads
 *   it.
 * Parameters keep their indices.
 */
PixGraph *pix_graph_fuse(const PixGraph *graph, const PixDevice *device);

/**
 * pix_graph_fuse_for_training:
 * The same without norms, which keep what backward needs, and padding, whose own way back is simpler.
 */
PixGraph *pix_graph_fuse_for_training(const PixGraph *graph);

#endif
