/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * A network: nodes in the order in which they run, each an op on earlier nodes' outputs, and the
 * list of its parameters, which exists once: memory, checkpoint names and shapes are walked from it.
 * A graph knows no frame size until pix_graph_infer().
 */
#ifndef PIX_GRAPH_H
#define PIX_GRAPH_H

#include "op.h"

/** PixParam: one tensor of weights. */
typedef struct {
    char *name;   /* in the native layout: "model.model.0.weight" */
    PixOp op;     /* that uses it: a backend arranges weights for it */
    PixSlot slot; /* as what */
    int rank;     /* 4 for WEIGHT, else 1 */
    int dims[4];  /* unused ones are 1 */
} PixParam;

/** pix_param_count: How many values it has. */
size_t pix_param_count(const PixParam *param);

/** PixNode: one op. Its output is known by the node's index. */
typedef struct {
    PixOp op;
    int in[PIX_MAX_INPUTS];    /* nodes that it reads; -1 where unused */
    int param[PIX_SLOT_COUNT]; /* indices into the graph's parameters; -1 where unused */
    PixShape shape;            /* of its output, after pix_graph_infer() */
    char *name;                /* of the layer, for people: "model.model.0" */
} PixNode;

typedef struct {
    GArray *nodes;  /* of PixNode; the first is the INPUT */
    GArray *params; /* of PixParam */
    int output;     /* the node whose output is the network's; the last one added */
    int in_channels;
} PixGraph;

PixGraph *pix_graph_new(int in_channels);
PixGraph *pix_graph_copy(const PixGraph *graph);
void pix_graph_free(PixGraph *graph); /* accepts NULL */

PixNode *pix_graph_node(const PixGraph *graph, int index);
PixParam *pix_graph_param(const PixGraph *graph, int index);

/**
 * Builders. @x: the node that the op reads.  @prefix: the layer's name; its parameters are called
 * PREFIX.weight, PREFIX.bias and so on.  @c: channels of @x.  Returns: the new node.
 */
int pix_graph_conv(PixGraph *graph, int x, const char *prefix, int c, PixConvOp op, bool bias);
int pix_graph_deconv(PixGraph *graph, int x, const char *prefix, int c, PixConvOp op, bool bias);
/** @affine: has gamma and beta.  @running: has running statistics. NONE returns @x itself. */
int pix_graph_norm(PixGraph *graph, int x, const char *prefix, int c, PixNormKind kind, bool affine,
                   bool running);
int pix_graph_activation(PixGraph *graph, int x, PixActivationKind kind, float slope);
int pix_graph_dropout(PixGraph *graph, int x, float rate);
int pix_graph_pad(PixGraph *graph, int x, PixPadding pad);
int pix_graph_concat(PixGraph *graph, int x0, int x1);
int pix_graph_add(PixGraph *graph, int x0, int x1);
int pix_graph_upsample(PixGraph *graph, int x, int factor);

/**
 * pix_graph_infer:
 * Gives every node its shape for an input of @n samples of @h x @w.
 * Errors: BAD_SHAPE, naming the layer and the shapes that do not fit.
 */
bool pix_graph_infer(PixGraph *graph, int n, int h, int w, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PixGraph, pix_graph_free)

#endif
