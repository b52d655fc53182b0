/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuse.h"

#include <string.h>

#include "error.h"

bool pix_graph_set_modes(PixGraph *graph, bool running, bool dropout, GError **error)
{
    for (guint i = 0; i < graph->nodes->len; i++) {
        PixNode *node = pix_graph_node(graph, (int)i);
        if (node->op.kind == PIX_OP_DROPOUT)
            node->op.dropout.off = !dropout;
        if (node->op.kind != PIX_OP_NORM || node->op.norm.kind != PIX_NORM_BATCH)
            continue;
        node->op.norm.running = running;
        if (running && node->param[PIX_SLOT_MEAN] < 0)
            return pix_fail(error, PIX_ERROR_UNSUPPORTED,
                            "%s: the file has no running statistics; use those of the frame",
                            node->name);
    }
    return true;
}

/* How many nodes read each node; the network's output counts as a reader. */
static int *count_readers(const PixGraph *graph)
{
    int *readers = g_new0(int, graph->nodes->len);
    for (guint i = 0; i < graph->nodes->len; i++) {
        const PixNode *node = pix_graph_node(graph, (int)i);
        for (int j = 0; j < pix_op_n_inputs(node->op.kind); j++)
            readers[node->in[j]]++;
    }
    readers[graph->output]++;
    return readers;
}

/* The only node that reads @index, or -1. */
static int only_reader(const PixGraph *graph, const int *readers, int index)
{
    if (readers[index] != 1 || index == graph->output)
        return -1;
    for (guint i = (guint)index + 1; i < graph->nodes->len; i++) {
        const PixNode *node = pix_graph_node(graph, (int)i);
        for (int j = 0; j < pix_op_n_inputs(node->op.kind); j++)
            if (node->in[j] == index)
                return (int)i;
    }
    return -1;
}

static bool is_conv(const PixNode *node)
{
    return node->op.kind == PIX_OP_CONV || node->op.kind == PIX_OP_DECONV;
}

/* Where @node keeps the activation that it applies last; NULL if it cannot. */
static PixActivation *own_activation(PixNode *node)
{
    if (is_conv(node))
        return &node->op.conv.activation;
    return node->op.kind == PIX_OP_NORM ? &node->op.norm.activation : NULL;
}

/* Whether f(x * scale) is f(x) * scale, so that f may as well come before a dropout. */
static bool is_homogeneous(PixActivationKind kind)
{
    return kind == PIX_ACTIVATION_RELU || kind == PIX_ACTIVATION_LEAKY_RELU;
}

static bool drops(const PixNode *node)
{
    return is_conv(node) && node->op.conv.dropout.rate > 0;
}

static bool absorb_activation(PixNode *into, const PixNode *node)
{
    PixActivation *own = own_activation(into);
    if (node->op.kind != PIX_OP_ACTIVATION || !own || own->kind != PIX_ACTIVATION_NONE ||
        (drops(into) && !is_homogeneous(node->op.activation.kind)))
        return false;
    *own = node->op.activation;
    return true;
}

static bool absorb_norm(PixNode *into, const PixNode *node)
{
    if (node->op.kind != PIX_OP_NORM || !is_conv(into) ||
        into->op.conv.norm.kind != PIX_NORM_NONE ||
        into->op.conv.activation.kind != PIX_ACTIVATION_NONE)
        return false;
    into->op.conv.norm = node->op.norm;
    into->op.conv.norm.activation = (PixActivation){PIX_ACTIVATION_NONE};
    into->op.conv.activation = node->op.norm.activation;
    memcpy(into->param + PIX_SLOT_GAMMA, node->param + PIX_SLOT_GAMMA,
           (PIX_SLOT_COUNT - PIX_SLOT_GAMMA) * sizeof node->param[0]);
    return true;
}

static bool absorb_dropout(PixNode *into, const PixNode *node)
{
    if (node->op.kind != PIX_OP_DROPOUT || !is_conv(into) || !pix_conv_measures(&into->op.conv) ||
        drops(into))
        return false;
    into->op.conv.dropout = node->op.dropout;
    return true;
}

/* @node reads the padded map @pad and nothing else does. */
static bool absorb_padding(PixNode *node, const PixNode *pad)
{
    PixPadding *own = &node->op.conv.pad;
    if (node->op.kind != PIX_OP_CONV || pad->op.kind != PIX_OP_PAD)
        return false;
    bool none = !(own->top | own->left | own->bottom | own->right);
    if (none)
        *own = pad->op.pad;
    else if (own->mode == PIX_PAD_ZERO && pad->op.pad.mode == PIX_PAD_ZERO)
        *own = (PixPadding){PIX_PAD_ZERO, own->top + pad->op.pad.top, own->left + pad->op.pad.left,
                            own->bottom + pad->op.pad.bottom, own->right + pad->op.pad.right};
    else
        return false;
    return true;
}

/* Rewriting: nodes of the old graph are emitted into a new one, in order. */
typedef struct {
    const PixGraph *old;
    const int *readers;
    PixGraph *new;
    int *at; /* old index to new */
} Rewrite;

static int emit(Rewrite *r, const PixNode *node)
{
    PixNode copy = *node;
    copy.name = g_strdup(node->name);
    g_array_append_val(r->new->nodes, copy);
    return (int)r->new->nodes->len - 1;
}

static int emit_mapped(Rewrite *r, const PixNode *node)
{
    PixNode copy = *node;
    for (int j = 0; j < pix_op_n_inputs(node->op.kind); j++)
        copy.in[j] = r->at[node->in[j]];
    return emit(r, &copy);
}

typedef bool (*Rule)(Rewrite *r, int index);

/* Emits everything that the rule does not take care of itself. */
static PixGraph *rewrite(PixGraph *old, Rule rule)
{
    g_autofree int *readers = count_readers(old);
    g_autofree int *at = g_new(int, old->nodes->len);
    Rewrite r = {old, readers, pix_graph_copy(old), at};
    g_array_set_size(r.new->nodes, 0);
    for (guint i = 0; i < old->nodes->len; i++)
        if (!rule(&r, (int)i))
            at[i] = emit_mapped(&r, pix_graph_node(old, (int)i));
    r.new->output = at[old->output];
    pix_graph_free(old);
    return r.new;
}

static bool drop_identity(Rewrite *r, int index)
{
    const PixNode *node = pix_graph_node(r->old, index);
    if (node->op.kind != PIX_OP_DROPOUT || !node->op.dropout.off)
        return false;
    r->at[index] = r->at[node->in[0]];
    return true;
}

/* f(concat(x0, x1)) becomes concat(f(x0), f(x1)). */
static bool split_activation(Rewrite *r, int index)
{
    const PixNode *node = pix_graph_node(r->old, index);
    if (node->op.kind == PIX_OP_ACTIVATION) {
        const PixNode *x = pix_graph_node(r->old, node->in[0]);
        if (x->op.kind != PIX_OP_CONCAT || r->readers[node->in[0]] != 1)
            return false;
        r->at[index] = r->at[node->in[0]];
        return true;
    }
    int reader = only_reader(r->old, r->readers, index);
    if (node->op.kind != PIX_OP_CONCAT || reader < 0)
        return false;
    const PixNode *activation = pix_graph_node(r->old, reader);
    if (activation->op.kind != PIX_OP_ACTIVATION)
        return false;
    PixNode concat = *node;
    for (int j = 0; j < 2; j++) {
        PixNode part = *activation;
        part.in[0] = r->at[node->in[j]];
        concat.in[j] = emit(r, &part);
        pix_graph_node(r->new, concat.in[j])->shape = pix_graph_node(r->new, part.in[0])->shape;
    }
    r->at[index] = emit(r, &concat);
    return true;
}

static bool join_padding(Rewrite *r, int index)
{
    const PixNode *node = pix_graph_node(r->old, index);
    int reader = only_reader(r->old, r->readers, index);
    if (node->op.kind == PIX_OP_PAD && reader >= 0) {
        PixNode probe = *pix_graph_node(r->old, reader);
        r->at[index] = r->at[node->in[0]];
        return absorb_padding(&probe, node);
    }
    if (node->op.kind != PIX_OP_CONV || r->readers[node->in[0]] != 1)
        return false;
    PixNode padded = *node;
    if (!absorb_padding(&padded, pix_graph_node(r->old, node->in[0])))
        return false;
    r->at[index] = emit_mapped(r, &padded);
    return true;
}

/* What already stands in the new graph and is read by node @index alone; NULL for none. */
static PixNode *own_producer(Rewrite *r, int index)
{
    const PixNode *node = pix_graph_node(r->old, index);
    if (pix_op_n_inputs(node->op.kind) != 1 || r->readers[node->in[0]] != 1)
        return NULL;
    r->at[index] = r->at[node->in[0]];
    return pix_graph_node(r->new, r->at[index]);
}

static bool join_producer(Rewrite *r, int index)
{
    const PixNode *node = pix_graph_node(r->old, index);
    PixNode *producer = own_producer(r, index);
    return producer && (absorb_norm(producer, node) || absorb_activation(producer, node) ||
                        absorb_dropout(producer, node));
}

static bool join_activation(Rewrite *r, int index)
{
    PixNode *producer = own_producer(r, index);
    return producer && absorb_activation(producer, pix_graph_node(r->old, index));
}

/* Whether node @index is the ReLU of a concatenation between it and a convolution, and no others. */
static bool is_rectifier(const Rewrite *r, int index)
{
    const PixNode *node = pix_graph_node(r->old, index);
    int reader = only_reader(r->old, r->readers, index);
    return node->op.kind == PIX_OP_ACTIVATION && node->op.activation.kind == PIX_ACTIVATION_RELU &&
           pix_graph_node(r->old, node->in[0])->op.kind == PIX_OP_CONCAT &&
           r->readers[node->in[0]] == 1 && reader >= 0 && is_conv(pix_graph_node(r->old, reader));
}

static bool rectify_input(Rewrite *r, int index)
{
    const PixNode *node = pix_graph_node(r->old, index);
    if (is_rectifier(r, index)) {
        r->at[index] = r->at[node->in[0]];
        return true;
    }
    if (!is_conv(node) || !is_rectifier(r, node->in[0]))
        return false;
    PixNode conv = *node;
    conv.op.conv.rectifies = true;
    r->at[index] = emit_mapped(r, &conv);
    return true;
}

static PixGraph *apply(const PixGraph *graph, const Rule *rules, size_t n_rules)
{
    PixGraph *fused = pix_graph_copy(graph);
    for (size_t i = 0; i < n_rules; i++)
        if (rules[i])
            fused = rewrite(fused, rules[i]);
    return fused;
}

PixGraph *pix_graph_fuse(const PixGraph *graph, const PixDevice *device)
{
    const PixRow *rows = device->backend->rows;
    bool rectifies = rows[PIX_OP_CONV].rectifies && rows[PIX_OP_DECONV].rectifies;
    const Rule rules[] = {drop_identity, rectifies ? rectify_input : NULL, split_activation,
                          join_padding, join_producer};
    return apply(graph, rules, G_N_ELEMENTS(rules));
}

PixGraph *pix_graph_fuse_for_training(const PixGraph *graph)
{
    static const Rule rules[] = {drop_identity, split_activation, join_activation};
    return apply(graph, rules, G_N_ELEMENTS(rules));
}
