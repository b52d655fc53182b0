/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "derive.h"

#include "error.h"

static bool has_trained(const PixNode *node)
{
    bool has = false;
    for (int i = 0; i < PIX_SLOT_COUNT; i++)
        has |= node->param[i] >= 0 && pix_slot_is_trained((PixSlot)i);
    return has;
}

bool *pix_graph_needs_gradient(const PixGraph *graph, bool input)
{
    guint n = graph->nodes->len;
    bool *needs = g_new0(bool, n);
    g_autofree bool *reaches = g_new0(bool, n);
    needs[0] = input;
    for (guint i = 1; i < n; i++) {
        const PixNode *node = pix_graph_node(graph, (int)i);
        needs[i] = has_trained(node);
        for (int j = 0; j < pix_op_n_inputs(node->op.kind); j++)
            needs[i] |= needs[node->in[j]];
    }
    reaches[graph->output] = true;
    for (guint i = n; i-- > 0;) {
        const PixNode *node = pix_graph_node(graph, (int)i);
        for (int j = 0; reaches[i] && j < pix_op_n_inputs(node->op.kind); j++)
            reaches[node->in[j]] = true;
        needs[i] &= reaches[i];
    }
    return needs;
}

int pix_graph_last_reader(const PixGraph *graph, int index)
{
    for (guint i = graph->nodes->len; i-- > 0;) {
        const PixNode *node = pix_graph_node(graph, (int)i);
        for (int j = 0; j < pix_op_n_inputs(node->op.kind); j++)
            if (node->in[j] == index)
                return (int)i;
    }
    return -1;
}

void pix_graph_set_training(PixGraph *graph, float momentum, bool dropout)
{
    for (guint i = 0; i < graph->nodes->len; i++) {
        PixOp *op = &pix_graph_node(graph, (int)i)->op;
        if (op->kind == PIX_OP_DROPOUT) {
            op->dropout.off = !dropout;
        } else if (op->kind == PIX_OP_NORM) {
            op->norm.running = false;
            op->norm.momentum = op->norm.kind == PIX_NORM_BATCH ? momentum : 0;
        }
    }
}

static int add_tangent(PixGraph *graph, const PixNode *node, const int *tangents, int index,
                       GError **error)
{
    PixNode t = *node;
    switch (node->op.kind) {
    case PIX_OP_CONV:
    case PIX_OP_DECONV:
        t.param[PIX_SLOT_BIAS] = -1;
        break;
    case PIX_OP_ACTIVATION:
        if (node->op.activation.kind == PIX_ACTIVATION_TANH) {
            pix_fail(error, PIX_ERROR_UNSUPPORTED,
                     "%s: tanh has no tangent here; choose another loss than a gradient penalty",
                     node->name);
            return -1;
        }
        t.op.kind = PIX_OP_ACTIVATION_TANGENT;
        t.in[1] = index;
        break;
    case PIX_OP_NORM:
        t.op.kind = PIX_OP_NORM_TANGENT;
        t.op.norm.momentum = 0;
        t.in[1] = node->in[0];
        t.param[PIX_SLOT_BETA] = t.param[PIX_SLOT_MEAN] = t.param[PIX_SLOT_VARIANCE] = -1;
        break;
    default: /* linear */
        break;
    }
    t.in[0] = tangents[node->in[0]];
    if (pix_op_n_inputs(node->op.kind) == 2)
        t.in[1] = tangents[node->in[1]];
    t.name = g_strdup_printf("%s (tangent)", node->name);
    g_array_append_val(graph->nodes, t);
    return (int)graph->nodes->len - 1;
}

PixGraph *pix_graph_tangent(const PixGraph *graph, int *direction, GError **error)
{
    g_autoptr(PixGraph) both = pix_graph_copy(graph);
    guint n = graph->nodes->len;
    g_autofree int *tangents = g_new0(int, n);
    PixNode input = *pix_graph_node(graph, 0);
    input.name = g_strdup("direction");
    g_array_append_val(both->nodes, input);
    tangents[0] = *direction = (int)n;
    for (guint i = 1; i < n; i++) {
        /* A copy: the array grows. */
        PixNode node = *pix_graph_node(graph, (int)i);
        tangents[i] = add_tangent(both, &node, tangents, (int)i, error);
        if (tangents[i] < 0)
            return NULL;
    }
    both->output = tangents[graph->output];
    return g_steal_pointer(&both);
}
