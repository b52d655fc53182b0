/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan.h"

#include <limits.h>

#include "error.h"

/* The memory of one node's output. */
typedef struct {
    int parent;      /* the node inside whose output it lies; -1: it has memory of its own */
    int c_first;     /* its first channel there */
    int first, last; /* nodes that write it first and read it last, parts included */
    size_t bytes, offset;
    bool placed;
} Storage;

static int count_readers(const PixGraph *graph, int index)
{
    int readers = index == graph->output;
    for (guint i = 0; i < graph->nodes->len; i++) {
        const PixNode *node = pix_graph_node(graph, (int)i);
        for (int j = 0; j < pix_op_n_inputs(node->op.kind); j++)
            readers += node->in[j] == index;
    }
    return readers;
}

static bool can_move(const PixGraph *graph, const Storage *storage, int index)
{
    return storage[index].parent < 0 && pix_graph_node(graph, index)->op.kind != PIX_OP_INPUT &&
           index != graph->output;
}

/* Decides which outputs lie inside others. */
static void nest(const PixGraph *graph, const PixDevice *device, Storage *storage)
{
    for (guint i = 0; i < graph->nodes->len; i++) {
        const PixNode *node = pix_graph_node(graph, (int)i);
        int c_first = 0;
        if (node->op.kind == PIX_OP_CONCAT) {
            for (int j = 0; j < 2; j++) {
                int x = node->in[j];
                if (can_move(graph, storage, x) && (j == 0 || x != node->in[0])) {
                    storage[x].parent = (int)i;
                    storage[x].c_first = c_first;
                }
                c_first += pix_graph_node(graph, x)->shape.c;
            }
        } else if (device->backend->rows[node->op.kind].in_place &&
                   can_move(graph, storage, node->in[0]) &&
                   count_readers(graph, node->in[0]) == 1) {
            storage[node->in[0]].parent = (int)i;
        }
    }
}

static int root_of(const Storage *storage, int index, int *c_first)
{
    for (*c_first = 0; storage[index].parent >= 0; index = storage[index].parent)
        *c_first += storage[index].c_first;
    return index;
}

/* From when to when each root is needed. */
static void find_lifetimes(const PixGraph *graph, Storage *storage)
{
    int c_first;
    for (guint i = 0; i < graph->nodes->len; i++)
        storage[i].first = INT_MAX;
    for (guint i = 0; i < graph->nodes->len; i++) {
        const PixNode *node = pix_graph_node(graph, (int)i);
        Storage *root = &storage[root_of(storage, (int)i, &c_first)];
        root->first = MIN(root->first, (int)i);
        root->last = MAX(root->last, (int)i);
        for (int j = 0; j < pix_op_n_inputs(node->op.kind); j++) {
            root = &storage[root_of(storage, node->in[j], &c_first)];
            root->last = MAX(root->last, (int)i);
        }
    }
    storage[root_of(storage, graph->output, &c_first)].last = INT_MAX;
}

static bool meets(const Storage *a, const Storage *b, size_t offset)
{
    bool in_time = a->first <= b->last && b->first <= a->last;
    return in_time && b->offset < offset + a->bytes && offset < b->offset + b->bytes;
}

/* The lowest place where @index meets nothing that has been placed. */
static size_t lowest_offset(const Storage *storage, guint n, guint index)
{
    size_t offset = 0;
    for (guint i = 0; i < n;) {
        if (storage[i].placed && meets(&storage[index], &storage[i], offset)) {
            offset = storage[i].offset + storage[i].bytes;
            i = 0;
        } else {
            i++;
        }
    }
    return offset;
}

static bool place(const PixGraph *graph, const PixDevice *device, Storage *storage, PixPlan *plan,
                  GError **error)
{
    size_t alignment = device->backend->alignment;
    guint n = graph->nodes->len;
    for (guint i = 0; i < n; i++) {
        Storage *s = &storage[i];
        if (s->parent >= 0)
            continue;
        size_t end;
        s->bytes = device->backend->activation_bytes(device, pix_graph_node(graph, (int)i)->shape);
        if (!g_size_checked_add(&s->bytes, s->bytes, alignment - 1))
            return pix_fail(error, PIX_ERROR_BAD_SHAPE, "the activations are too large");
        s->bytes = s->bytes / alignment * alignment;
        s->offset = lowest_offset(storage, n, i);
        s->placed = true;
        if (!g_size_checked_add(&end, s->offset, s->bytes))
            return pix_fail(error, PIX_ERROR_BAD_SHAPE, "the activations are too large");
        plan->block_bytes = MAX(plan->block_bytes, end);
    }
    return true;
}

PixPlan *pix_plan_new(const PixGraph *graph, const PixDevice *device, GError **error)
{
    guint n = graph->nodes->len;
    g_autofree Storage *storage = g_new0(Storage, n);
    PixPlan *plan = g_new0(PixPlan, 1);
    plan->tensors = g_new0(PixTensor, n);
    plan->n_tensors = n;
    for (guint i = 0; i < n; i++)
        storage[i].parent = -1;
    nest(graph, device, storage);
    find_lifetimes(graph, storage);
    if (!place(graph, device, storage, plan, error)) {
        pix_plan_free(plan);
        return NULL;
    }
    for (guint i = 0; i < n; i++) {
        PixTensor *t = &plan->tensors[i];
        int root = root_of(storage, (int)i, &t->c_first);
        t->shape = pix_graph_node(graph, (int)i)->shape;
        t->offset = storage[root].offset;
        t->c_whole = pix_graph_node(graph, root)->shape.c;
    }
    return plan;
}

void pix_plan_free(PixPlan *plan)
{
    if (!plan)
        return;
    g_free(plan->tensors);
    g_free(plan);
}
