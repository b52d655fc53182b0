/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan.h"

#include <limits.h>

#include "derive.h"
#include "error.h"

/* One piece of memory: a node's output, its gradient, or something saved for its backward. */
typedef struct {
    bool exists;
    PixShape shape;
    int parent;      /* the storage inside which it lies; -1: it has memory of its own */
    int c_first;     /* its first channel there */
    int first, last; /* moments at which it is written first and read last, parts included */
    size_t bytes, offset;
    bool placed;
} Storage;

/*
 * Time: node i runs forward at moment i and backward at moment 2 n - 1 - i. Storages: outputs, then
 * gradients, then what is saved.
 */
typedef struct {
    const PixGraph *graph;
    const PixDevice *device;
    PixDtype maps;
    int n;
    bool training;
    bool *needs; /* which gradients there are */
    Storage *storages;
    int n_storages;
} Planner;

static int moment_back(const Planner *p, int index)
{
    return 2 * p->n - 1 - index;
}

static int gradient_of(const Planner *p, int index)
{
    return p->n + index;
}

static int saved_of(const Planner *p, int index, int i)
{
    return 2 * p->n + index * PIX_MAX_SAVED + i;
}

static void list_storages(Planner *p)
{
    for (int i = 0; i < p->n_storages; i++)
        p->storages[i] = (Storage){.parent = -1, .first = INT_MAX, .last = -1};
    for (int i = 0; i < p->n; i++) {
        const PixNode *node = pix_graph_node(p->graph, i);
        Storage *output = &p->storages[i], *gradient = &p->storages[gradient_of(p, i)];
        output->exists = true;
        gradient->exists = p->needs[i];
        output->shape = gradient->shape = node->shape;
        if (!p->needs[i] || node->op.kind == PIX_OP_INPUT)
            continue;
        for (int j = 0; j < PIX_MAX_SAVED; j++) {
            Storage *saved = &p->storages[saved_of(p, i, j)];
            int x = pix_op_n_inputs(node->op.kind) - 1;
            saved->shape = pix_op_saved(&node->op, pix_graph_node(p->graph, node->in[x])->shape, j);
            saved->exists = saved->shape.n > 0;
        }
    }
}

/* ---- nesting ---- */

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

static bool can_move(const Planner *p, int storage, int index)
{
    return p->storages[storage].exists && p->storages[storage].parent < 0 &&
           pix_graph_node(p->graph, index)->op.kind != PIX_OP_INPUT && index != p->graph->output;
}

/* Whether node @index may write its output over its first input. */
static bool may_overwrite(const Planner *p, int index)
{
    const PixNode *node = pix_graph_node(p->graph, index);
    int x = node->in[0];
    if (!p->device->backend->rows[node->op.kind].in_place || !can_move(p, x, x) ||
        count_readers(p->graph, x) != 1)
        return false;
    const PixOp *producer = &pix_graph_node(p->graph, x)->op;
    /* A concatenation's parts may be read again on the way back. */
    return !p->training || (!pix_op_keeps_output(producer) && !pix_op_keeps_input(&node->op, 0) &&
                            producer->kind != PIX_OP_CONCAT);
}

/*
 * Whether node @index may leave the gradient of its input @j in that of its output: it must be the
 * first on the way back to write it; whoever follows adds.
 */
static bool may_share_gradient(const Planner *p, int index, int j)
{
    const PixNode *node = pix_graph_node(p->graph, index);
    int x = node->in[j];
    return p->needs[index] && can_move(p, gradient_of(p, x), x) &&
           pix_graph_last_reader(p->graph, x) == index &&
           (pix_op_n_inputs(node->op.kind) < 2 || node->in[0] != node->in[1]);
}

static void nest_concat(Planner *p, int index)
{
    const PixNode *node = pix_graph_node(p->graph, index);
    int c_first = 0;
    for (int j = 0; j < 2; j++) {
        int x = node->in[j], dx = gradient_of(p, x);
        if (can_move(p, x, x) && (j == 0 || x != node->in[0])) {
            p->storages[x].parent = index;
            p->storages[x].c_first = c_first;
        }
        if (may_share_gradient(p, index, j)) {
            p->storages[dx].parent = gradient_of(p, index);
            p->storages[dx].c_first = c_first;
        }
        c_first += pix_graph_node(p->graph, x)->shape.c;
    }
}

/* Decides which tensors lie inside others. */
static void nest(Planner *p)
{
    for (int i = 0; i < p->n; i++) {
        const PixNode *node = pix_graph_node(p->graph, i);
        const PixRow *row = &p->device->backend->rows[node->op.kind];
        if (node->op.kind == PIX_OP_CONCAT) {
            nest_concat(p, i);
        } else if (node->op.kind != PIX_OP_INPUT) {
            if (may_overwrite(p, i))
                p->storages[node->in[0]].parent = i;
            if (row->backward_in_place && may_share_gradient(p, i, 0))
                p->storages[gradient_of(p, node->in[0])].parent = gradient_of(p, i);
        }
    }
}

static int root_of(const Planner *p, int storage, int *c_first)
{
    for (*c_first = 0; p->storages[storage].parent >= 0; storage = p->storages[storage].parent)
        *c_first += p->storages[storage].c_first;
    return storage;
}

/* ---- lifetimes ---- */

static void use(Planner *p, int storage, int moment)
{
    int c_first;
    Storage *root = &p->storages[root_of(p, storage, &c_first)];
    root->first = MIN(root->first, moment);
    root->last = MAX(root->last, moment);
}

static void use_backward(Planner *p, int index)
{
    const PixNode *node = pix_graph_node(p->graph, index);
    int moment = moment_back(p, index);
    use(p, gradient_of(p, index), moment);
    if (pix_op_keeps_output(&node->op))
        use(p, index, moment);
    for (int j = 0; j < pix_op_n_inputs(node->op.kind); j++) {
        if (pix_op_keeps_input(&node->op, j))
            use(p, node->in[j], moment);
        if (p->needs[node->in[j]])
            use(p, gradient_of(p, node->in[j]), moment);
    }
    for (int j = 0; j < PIX_MAX_SAVED; j++) {
        use(p, saved_of(p, index, j), index);
        use(p, saved_of(p, index, j), moment);
    }
}

/* From when to when each root is needed. */
static void find_lifetimes(Planner *p)
{
    for (int i = 0; i < p->n; i++) {
        const PixNode *node = pix_graph_node(p->graph, i);
        use(p, i, i);
        for (int j = 0; j < pix_op_n_inputs(node->op.kind); j++)
            use(p, node->in[j], i);
        if (p->needs[i])
            use_backward(p, i);
        if (node->op.kind == PIX_OP_INPUT)
            use(p, i, 0); /* the caller writes it */
        if (p->training && node->op.kind == PIX_OP_INPUT)
            use(p, i, INT_MAX);
    }
    use(p, p->graph->output, INT_MAX);
    if (p->training)
        use(p, gradient_of(p, p->graph->output), p->n - 1); /* the loss writes it */
    if (p->needs[0])
        use(p, gradient_of(p, 0), INT_MAX);
}

/* ---- placing ---- */

static bool meets(const Storage *a, const Storage *b, size_t offset)
{
    bool in_time = a->first <= b->last && b->first <= a->last;
    return in_time && b->offset < offset + a->bytes && offset < b->offset + b->bytes;
}

/* The lowest place where @index meets nothing that has been placed. */
static size_t lowest_offset(const Planner *p, int index)
{
    size_t offset = 0;
    for (int i = 0; i < p->n_storages;) {
        const Storage *other = &p->storages[i];
        if (other->placed && meets(&p->storages[index], other, offset)) {
            offset = other->offset + other->bytes;
            i = 0;
        } else {
            i++;
        }
    }
    return offset;
}

static bool place(const Planner *p, PixPlan *plan, GError **error)
{
    size_t alignment = p->device->backend->alignment;
    for (int i = 0; i < p->n_storages; i++) {
        Storage *s = &p->storages[i];
        if (s->parent >= 0 || !s->exists)
            continue;
        size_t end;
        s->bytes = p->device->backend->activation_bytes(p->device, s->shape, p->maps);
        if (!g_size_checked_add(&s->bytes, s->bytes, alignment - 1))
            return pix_fail(error, PIX_ERROR_BAD_SHAPE, "the activations are too large");
        s->bytes = s->bytes / alignment * alignment;
        s->offset = lowest_offset(p, i);
        s->placed = true;
        if (!g_size_checked_add(&end, s->offset, s->bytes))
            return pix_fail(error, PIX_ERROR_BAD_SHAPE, "the activations are too large");
        plan->block_bytes = MAX(plan->block_bytes, end);
    }
    return true;
}

static PixTensor tensor_of(const Planner *p, int storage)
{
    const Storage *s = &p->storages[storage];
    if (!s->exists)
        return (PixTensor){0};
    PixTensor t = {.shape = s->shape, .dtype = p->maps};
    const Storage *root = &p->storages[root_of(p, storage, &t.c_first)];
    t.offset = root->offset;
    t.c_whole = root->shape.c;
    return t;
}

static void read_out(const Planner *p, PixPlan *plan)
{
    for (int i = 0; i < p->n; i++) {
        plan->outputs[i] = tensor_of(p, i);
        plan->gradients[i] = tensor_of(p, gradient_of(p, i));
        for (int j = 0; j < PIX_MAX_SAVED; j++)
            plan->saved[i][j] = tensor_of(p, saved_of(p, i, j));
    }
}

PixPlan *pix_plan_new(const PixGraph *graph, const PixDevice *device, PixDtype maps,
                      PixPlanKind kind, GError **error)
{
    int n = (int)graph->nodes->len, n_storages = (2 + PIX_MAX_SAVED) * n;
    bool training = kind != PIX_PLAN_INFERENCE;
    g_autofree Storage *storages = g_new(Storage, n_storages);
    g_autofree bool *needs = training
                                 ? pix_graph_needs_gradient(graph, kind == PIX_PLAN_TRAINING_INPUT)
                                 : g_new0(bool, n);
    Planner p = {graph, device, maps, n, training, needs, storages, n_storages};
    PixPlan *plan = g_new0(PixPlan, 1);
    plan->n_nodes = (size_t)n;
    plan->outputs = g_new0(PixTensor, n);
    plan->gradients = g_new0(PixTensor, n);
    plan->saved = g_malloc0_n((size_t)n, sizeof *plan->saved);
    list_storages(&p);
    nest(&p);
    find_lifetimes(&p);
    if (!place(&p, plan, error)) {
        pix_plan_free(plan);
        return NULL;
    }
    read_out(&p, plan);
    return plan;
}

static void set_buffer(PixTensor *tensor, PixBuffer *block)
{
    tensor->buffer = tensor->shape.n > 0 ? block : NULL;
}

void pix_plan_set_buffer(PixPlan *plan, PixBuffer *block)
{
    for (size_t i = 0; i < plan->n_nodes; i++) {
        set_buffer(&plan->outputs[i], block);
        set_buffer(&plan->gradients[i], block);
        for (int j = 0; j < PIX_MAX_SAVED; j++)
            set_buffer(&plan->saved[i][j], block);
    }
}

void pix_plan_free(PixPlan *plan)
{
    if (!plan)
        return;
    g_free(plan->outputs);
    g_free(plan->gradients);
    g_free(plan->saved);
    g_free(plan);
}
