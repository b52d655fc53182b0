/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph.h"

#include "error.h"

static void clear_node(gpointer data)
{
    g_free(((PixNode *)data)->name);
}

static void clear_param(gpointer data)
{
    g_free(((PixParam *)data)->name);
}

static PixGraph *graph_empty(int in_channels)
{
    PixGraph *graph = g_new0(PixGraph, 1);
    graph->nodes = g_array_new(FALSE, TRUE, sizeof(PixNode));
    graph->params = g_array_new(FALSE, TRUE, sizeof(PixParam));
    g_array_set_clear_func(graph->nodes, clear_node);
    g_array_set_clear_func(graph->params, clear_param);
    graph->in_channels = in_channels;
    return graph;
}

static int add_node(PixGraph *graph, PixOp op, int x0, int x1, const char *name)
{
    PixNode node = {.op = op, .in = {x0, x1}, .name = g_strdup(name)};
    for (int i = 0; i < PIX_SLOT_COUNT; i++)
        node.param[i] = -1;
    g_array_append_val(graph->nodes, node);
    graph->output = (int)graph->nodes->len - 1;
    return graph->output;
}

PixGraph *pix_graph_new(int in_channels)
{
    PixGraph *graph = graph_empty(in_channels);
    add_node(graph, (PixOp){.kind = PIX_OP_INPUT}, -1, -1, "input");
    return graph;
}

PixGraph *pix_graph_copy(const PixGraph *graph)
{
    PixGraph *copy = graph_empty(graph->in_channels);
    copy->output = graph->output;
    g_array_append_vals(copy->nodes, graph->nodes->data, graph->nodes->len);
    g_array_append_vals(copy->params, graph->params->data, graph->params->len);
    for (guint i = 0; i < copy->nodes->len; i++)
        pix_graph_node(copy, (int)i)->name = g_strdup(pix_graph_node(copy, (int)i)->name);
    for (guint i = 0; i < copy->params->len; i++)
        pix_graph_param(copy, (int)i)->name = g_strdup(pix_graph_param(copy, (int)i)->name);
    return copy;
}

void pix_graph_free(PixGraph *graph)
{
    if (!graph)
        return;
    g_array_unref(graph->nodes);
    g_array_unref(graph->params);
    g_free(graph);
}

PixNode *pix_graph_node(const PixGraph *graph, int index)
{
    return &g_array_index(graph->nodes, PixNode, index);
}

PixParam *pix_graph_param(const PixGraph *graph, int index)
{
    return &g_array_index(graph->params, PixParam, index);
}

size_t pix_param_count(const PixParam *param)
{
    size_t count = 1;
    for (int i = 0; i < param->rank; i++)
        count *= (size_t)param->dims[i];
    return count;
}

/* ---- builders ---- */

static void add_param(PixGraph *graph, int node, PixSlot slot, const char *suffix, const int *dims,
                      int rank)
{
    PixNode *at = pix_graph_node(graph, node);
    PixParam param = {.name = g_strconcat(at->name, suffix, NULL),
                      .op = at->op,
                      .slot = slot,
                      .rank = rank,
                      .dims = {1, 1, 1, 1}};
    for (int i = 0; i < rank; i++)
        param.dims[i] = dims[i];
    at->param[slot] = (int)graph->params->len;
    g_array_append_val(graph->params, param);
}

static int add_conv(PixGraph *graph, PixOpKind kind, int x, const char *prefix, const int dims[4],
                    PixConvOp conv, bool bias)
{
    int node = add_node(graph, (PixOp){.kind = kind, .conv = conv}, x, -1, prefix);
    add_param(graph, node, PIX_SLOT_WEIGHT, ".weight", dims, 4);
    if (bias)
        add_param(graph, node, PIX_SLOT_BIAS, ".bias", &conv.oc, 1);
    return node;
}

int pix_graph_conv(PixGraph *graph, int x, const char *prefix, int c, PixConvOp op, bool bias)
{
    return add_conv(graph, PIX_OP_CONV, x, prefix, (int[]){op.oc, c, op.kh, op.kw}, op, bias);
}

int pix_graph_deconv(PixGraph *graph, int x, const char *prefix, int c, PixConvOp op, bool bias)
{
    return add_conv(graph, PIX_OP_DECONV, x, prefix, (int[]){c, op.oc, op.kh, op.kw}, op, bias);
}

int pix_graph_norm(PixGraph *graph, int x, const char *prefix, int c, PixNormKind kind, bool affine,
                   bool running)
{
    if (kind == PIX_NORM_NONE)
        return x;
    PixOp op = {.kind = PIX_OP_NORM, .norm = {.kind = kind, .eps = 1e-5f}};
    int node = add_node(graph, op, x, -1, prefix);
    if (affine) {
        add_param(graph, node, PIX_SLOT_GAMMA, ".weight", &c, 1);
        add_param(graph, node, PIX_SLOT_BETA, ".bias", &c, 1);
    }
    if (running) {
        add_param(graph, node, PIX_SLOT_MEAN, ".running_mean", &c, 1);
        add_param(graph, node, PIX_SLOT_VARIANCE, ".running_var", &c, 1);
    }
    return node;
}

int pix_graph_activation(PixGraph *graph, int x, PixActivationKind kind, float slope)
{
    PixOp op = {.kind = PIX_OP_ACTIVATION, .activation = {kind, slope}};
    return add_node(graph, op, x, -1, pix_graph_node(graph, x)->name);
}

int pix_graph_dropout(PixGraph *graph, int x, float rate)
{
    unsigned layer = 0;
    for (guint i = 0; i < graph->nodes->len; i++)
        layer += pix_graph_node(graph, (int)i)->op.kind == PIX_OP_DROPOUT;
    PixOp op = {.kind = PIX_OP_DROPOUT, .dropout = {.rate = rate, .layer = layer}};
    return add_node(graph, op, x, -1, pix_graph_node(graph, x)->name);
}

int pix_graph_pad(PixGraph *graph, int x, PixPadding pad)
{
    return add_node(graph, (PixOp){.kind = PIX_OP_PAD, .pad = pad}, x, -1,
                    pix_graph_node(graph, x)->name);
}

int pix_graph_concat(PixGraph *graph, int x0, int x1)
{
    return add_node(graph, (PixOp){.kind = PIX_OP_CONCAT}, x0, x1, pix_graph_node(graph, x1)->name);
}

int pix_graph_add(PixGraph *graph, int x0, int x1)
{
    return add_node(graph, (PixOp){.kind = PIX_OP_ADD}, x0, x1, pix_graph_node(graph, x1)->name);
}

int pix_graph_upsample(PixGraph *graph, int x, int factor)
{
    return add_node(graph, (PixOp){.kind = PIX_OP_UPSAMPLE, .factor = factor}, x, -1,
                    pix_graph_node(graph, x)->name);
}

/* ---- shapes ---- */

bool pix_graph_infer(PixGraph *graph, int n, int h, int w, GError **error)
{
    PixShape input = {n, graph->in_channels, h, w};
    if (!pix_shape_valid(input))
        return pix_fail(error, PIX_ERROR_BAD_SHAPE, "an input of %dx%dx%dx%d is empty or too large", n,
                        graph->in_channels, h, w);
    for (guint i = 0; i < graph->nodes->len; i++) {
        PixNode *node = pix_graph_node(graph, (int)i);
        PixShape in[PIX_MAX_INPUTS] = {input};
        for (int j = 0; j < pix_op_n_inputs(node->op.kind); j++)
            in[j] = pix_graph_node(graph, node->in[j])->shape;
        if (!pix_op_infer(&node->op, in, &node->shape, error)) {
            g_prefix_error(error, "the network cannot take a %dx%d input: %s: ", w, h, node->name);
            return false;
        }
    }
    return true;
}
