/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What going backward through a graph means: whose gradients are needed, and the graph of a
 * derivative.
 */
#ifndef PIX_DERIVE_H
#define PIX_DERIVE_H

#include "graph.h"

/**
 * pix_graph_needs_gradient:
 * For each node, whether the gradient of its output is needed: the network's output depends on it,
 * and it depends on a trained parameter or, with @input, on the (first) input.
 * Returns: (transfer full): one for each node.
 */
bool *pix_graph_needs_gradient(const PixGraph *graph, bool input);

/** pix_graph_last_reader: The last node that reads @index, or -1. */
int pix_graph_last_reader(const PixGraph *graph, int index);

/**
 * pix_graph_set_training:
 * Norms use the statistics of the batch and move the running ones by @momentum; dropout layers drop
 * or do not.
 */
void pix_graph_set_training(PixGraph *graph, float momentum, bool dropout);

/**
 * pix_graph_tangent:
 * The derivative of a network along a direction: for inputs x and t (a second INPUT node, of which
 * there is no gradient) the output is d/de f(x + e t) at e = 0. Its parameters are those of @graph.
 * A loss on the gradient of f is a loss on this output; where t is constant, its gradient with
 * respect to the parameters is what going backward through this graph gives.
 * @direction: (out): the node of t.  Errors: UNSUPPORTED for activations with a second derivative.
 * Source: forward-mode differentiation; Pearlmutter 1994, "Fast exact multiplication by the Hessian".
 */
PixGraph *pix_graph_tangent(const PixGraph *graph, int *direction, GError **error);

#endif
