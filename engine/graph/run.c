/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run.h"

#include <string.h>

#include "clock.h"
#include "derive.h"
#include "error.h"
#include "plan.h"

typedef struct {
    int node;
    PixCall call;        /* without gradients */
    void *choice;        /* the call's */
    PixRange prepared;   /* the same */
    double flops, bytes; /* of one forward walk */
    PixWork work;        /* of a recorded one */
} Step;

struct PixRun {
    PixDevice *device;
    PixGraph *graph;
    PixPlan *plan;
    bool training;
    bool fixed; /* parameters stay as they are */
    bool timed; /* layer by layer */
    const PixTensor *params, *param_gradients;
    PixBuffer *block, *scratch, *prepared;
    size_t scratch_bytes, prepared_bytes;
    PixCommands *commands; /* the way forward; NULL where it is walked each time */
    PixCommands *marked;   /* the same with marks between the layers; NULL until it is wanted */
    PixFrame frame;        /* of the current run; calls point to it */
    Step *steps;           /* one for each node but the inputs, in order */
    guint n_steps;
    PixLayerTime *layers, *backward_layers; /* what callers see; as many */
    bool *needs, *needs_input; /* whose gradients; without and with that of the input */
    bool *written;             /* those that the walk has met */
};

static bool check_ops(const PixRun *run, GError **error)
{
    for (guint i = 0; i < run->graph->nodes->len; i++) {
        const PixNode *node = pix_graph_node(run->graph, (int)i);
        if (!pix_backend_supports(run->device, node->op.kind, false))
            return pix_fail(error, PIX_ERROR_UNSUPPORTED, "%s: %s cannot do \"%s\"", node->name,
                            run->device->info.name, pix_op_name(node->op.kind));
        if (run->training && !pix_backend_supports(run->device, node->op.kind, true))
            return pix_fail(error, PIX_ERROR_UNSUPPORTED,
                            "%s: %s cannot train \"%s\"; use another device", node->name,
                            run->device->info.name, pix_op_name(node->op.kind));
    }
    return true;
}

/* ---- calls ---- */

/* Everything but the gradients, which depend on what a walk is for. */
static PixCall call_of(PixRun *run, int index)
{
    const PixNode *node = pix_graph_node(run->graph, index);
    PixCall call = {.op = &node->op,
                    .out = run->plan->outputs[index],
                    .frame = &run->frame,
                    .fixed = run->fixed,
                    .scratch = run->scratch};
    for (int j = 0; j < pix_op_n_inputs(node->op.kind); j++)
        call.in[j] = run->plan->outputs[node->in[j]];
    for (int j = 0; j < PIX_SLOT_COUNT; j++)
        if (node->param[j] >= 0)
            call.param[j] = run->params[node->param[j]];
    for (int j = 0; j < PIX_MAX_SAVED; j++)
        call.saved[j] = run->plan->saved[index][j];
    return call;
}

static void make_steps(PixRun *run)
{
    run->n_steps = 0;
    for (guint i = 0; i < run->graph->nodes->len; i++) {
        if (pix_graph_node(run->graph, (int)i)->op.kind == PIX_OP_INPUT)
            continue;
        Step *step = &run->steps[run->n_steps++];
        step->node = (int)i;
        step->call = call_of(run, (int)i);
        step->call.choice = step->choice;
        step->call.prepared = step->prepared;
    }
}

/* What the way back adds to a call. */
static PixCall backward_call(PixRun *run, const Step *step, PixBackward what)
{
    const PixNode *node = pix_graph_node(run->graph, step->node);
    const bool *needs = what.input ? run->needs_input : run->needs;
    PixCall call = step->call;
    call.dout = run->plan->gradients[step->node];
    call.dparam_adds = !what.fresh;
    for (int j = 0; j < pix_op_n_inputs(node->op.kind); j++) {
        if (!needs[node->in[j]])
            continue;
        call.din[j] = run->plan->gradients[node->in[j]];
        call.din_adds[j] = run->written[node->in[j]];
        run->written[node->in[j]] = true;
    }
    for (int j = 0; j < PIX_SLOT_COUNT; j++)
        if (what.params && node->param[j] >= 0)
            call.dparam[j] = run->param_gradients[node->param[j]];
    return call;
}

static PixBackward everything(const PixRun *run)
{
    return (PixBackward){.params = true, .input = run->plan->gradients[0].shape.n > 0};
}

/* ---- what callers see of the layers ---- */

static double tensor_bytes(const PixTensor *t)
{
    return t->buffer ? (double)(pix_shape_count(t->shape) * pix_dtype_bytes(t->dtype)) : 0;
}

static PixPrecision precision_of(const PixRun *run, const PixCall *call)
{
    const PixRow *row = &run->device->backend->rows[call->op->kind];
    if (call->op->kind != PIX_OP_CONV && call->op->kind != PIX_OP_DECONV)
        return PIX_PRECISION_AUTO;
    if (row->precision)
        return row->precision(run->device, call);
    return call->param[PIX_SLOT_WEIGHT].dtype == PIX_DTYPE_F16 ? PIX_PRECISION_FP16
                                                               : PIX_PRECISION_FP32;
}

/* Weights that only ever meet padding are not read. */
static double weight_bytes(const PixCall *call)
{
    const PixTensor *weight = &call->param[PIX_SLOT_WEIGHT];
    double bytes = call->prepared.bytes > 0 ? (double)call->prepared.bytes : tensor_bytes(weight);
    if (!weight->buffer)
        return 0;
    return bytes * pix_op_weights_met(call->op, call->in[0].shape, call->out.shape);
}

/* A concatenation moves what does not lie in its place already. */
static double concat_bytes(const PixCall *call)
{
    const PixTensor *out = &call->out;
    int c = out->c_first;
    double bytes = 0;
    for (int i = 0; i < PIX_MAX_INPUTS; c += call->in[i++].shape.c) {
        const PixTensor *in = &call->in[i];
        bool lies = in->buffer == out->buffer && in->offset == out->offset &&
                    in->c_whole == out->c_whole && in->c_first == c;
        bytes += lies ? 0 : 2 * tensor_bytes(in);
    }
    return bytes;
}

static double call_bytes(const PixCall *call)
{
    double bytes = tensor_bytes(&call->out);
    if (call->op->kind == PIX_OP_CONCAT)
        return concat_bytes(call);
    for (int i = 0; i < PIX_MAX_INPUTS; i++)
        bytes += tensor_bytes(&call->in[i]);
    for (int i = 0; i < PIX_SLOT_COUNT; i++)
        bytes += i == PIX_SLOT_WEIGHT ? weight_bytes(call) : tensor_bytes(&call->param[i]);
    return bytes;
}

static PixLayerTime layer_of(const PixRun *run, Step *step)
{
    const PixCall *call = &step->call;
    const PixRow *row = &run->device->backend->rows[call->op->kind];
    PixShape in[PIX_MAX_INPUTS] = {call->in[0].shape, call->in[1].shape};
    const char *name = pix_graph_node(run->graph, step->node)->name;
    g_autofree char *what = pix_op_describe(call->op, in[0], call->out.shape);
    PixLayerTime layer = {.name = g_strdup_printf("%s: %s", name, what),
                          .algorithm = row->algorithm(run->device, call),
                          .reason = row->reason ? row->reason(run->device, call) : NULL,
                          .precision = precision_of(run, call)};
    step->flops = pix_op_flops(call->op, in, call->out.shape);
    step->bytes = call_bytes(call);
    if (run->commands && run->device->backend->work && step->work.dispatches == 0)
        step->bytes = 0;
    layer.dispatches = (guint)step->work.dispatches;
    layer.read_bytes = (double)step->work.read_bytes;
    layer.written_bytes = (double)step->work.written_bytes;
    if (!run->training) {
        layer.flops = step->flops;
        layer.bytes = step->bytes;
    }
    return layer;
}

static void describe_layers(PixRun *run)
{
    run->layers = g_new0(PixLayerTime, run->n_steps);
    run->backward_layers = g_new0(PixLayerTime, run->n_steps);
    for (guint i = 0; i < run->n_steps; i++) {
        PixLayerTime *backward = &run->backward_layers[run->n_steps - 1 - i];
        *backward = run->layers[i] = layer_of(run, &run->steps[i]);
        backward->reason = NULL; /* it is of the way forward */
    }
}

/* A frame's figures stand until the next one; those of training add up until they are cleared. */
static void count_forward(PixRun *run, guint i, double ms)
{
    PixLayerTime *layer = &run->layers[i];
    layer->ms = run->training ? layer->ms + ms : ms;
    layer->flops = run->training ? layer->flops + run->steps[i].flops : layer->flops;
    layer->bytes = run->training ? layer->bytes + run->steps[i].bytes : layer->bytes;
}

/* Each gradient of a product is as much work as the product. */
static void count_backward(PixRun *run, guint i, const PixCall *call, double ms)
{
    PixLayerTime *layer = &run->backward_layers[run->n_steps - 1 - i];
    int gradients = (call->din[0].buffer != NULL) + (call->dparam[PIX_SLOT_WEIGHT].buffer != NULL);
    layer->ms += ms;
    layer->flops += run->steps[i].flops * gradients;
    layer->bytes += run->steps[i].bytes * MAX(gradients, 1);
}

static PixWork work_since(PixDevice *device, PixWork before)
{
    PixWork now = device->backend->work ? device->backend->work(device) : (PixWork){0};
    return (PixWork){.dispatches = now.dispatches - before.dispatches,
                     .read_bytes = now.read_bytes - before.read_bytes,
                     .written_bytes = now.written_bytes - before.written_bytes};
}

static void add_work(PixLayerTime *layer, PixWork work)
{
    layer->dispatches += (guint)work.dispatches;
    layer->read_bytes += (double)work.read_bytes;
    layer->written_bytes += (double)work.written_bytes;
}

/* Where layers are timed one by one, when all is done that came before. */
static double layer_clock(PixRun *run)
{
    const PixBackend *backend = run->device->backend;
    if (run->timed && backend->settle)
        backend->settle(run->device, NULL, NULL); /* an error is told later */
    return pix_clock_ms();
}

/* ---- making ---- */

static void choose(PixRun *run)
{
    for (guint i = 0; i < run->n_steps; i++) {
        Step *step = &run->steps[i];
        step->call.choice = step->choice = pix_backend_choose(run->device, &step->call);
    }
}

static bool allocate(PixRun *run, PixDtype maps, PixPlanKind kind, GError **error)
{
    const PixBackend *backend = run->device->backend;
    run->plan = pix_plan_new(run->graph, run->device, maps, kind, error);
    if (!run->plan)
        return false;
    run->block = backend->buffer_new(run->device, run->plan->block_bytes, error);
    if (!run->block)
        return false;
    pix_plan_set_buffer(run->plan, run->block);
    make_steps(run);
    choose(run);
    for (guint i = run->n_steps; i-- > 0;) {
        const Step *step = &run->steps[i];
        size_t bytes = pix_backend_scratch(run->device, &step->call, false);
        run->scratch_bytes = MAX(run->scratch_bytes, bytes);
        if (!run->training || !run->plan->gradients[step->node].buffer)
            continue;
        PixCall call = backward_call(run, step, everything(run));
        run->scratch_bytes = MAX(run->scratch_bytes, pix_backend_scratch(run->device, &call, true));
    }
    run->scratch = backend->buffer_new(run->device, run->scratch_bytes, error);
    return run->scratch != NULL;
}

/* Reserves what calls prepare. */
static bool allocate_prepared(PixRun *run, GError **error)
{
    const PixBackend *backend = run->device->backend;
    for (guint i = 0; i < run->n_steps; i++) {
        PixRange *range = &run->steps[i].prepared;
        *range = (PixRange){.offset = run->prepared_bytes,
                            .bytes = pix_backend_prepared(run->device, &run->steps[i].call)};
        run->prepared_bytes +=
            (range->bytes + backend->alignment - 1) / backend->alignment * backend->alignment;
    }
    if (run->prepared_bytes == 0)
        return true;
    run->prepared = backend->buffer_new(run->device, run->prepared_bytes, error);
    for (guint i = 0; i < run->n_steps; i++)
        if (run->steps[i].prepared.bytes > 0)
            run->steps[i].prepared.buffer = run->prepared;
    return run->prepared != NULL;
}

static PixCommands *record(PixRun *run, bool marked, GError **error)
{
    const PixBackend *backend = run->device->backend;
    if (!backend->record(run->device, error))
        return NULL;
    if (marked)
        backend->mark(run->device);
    for (guint i = 0; i < run->n_steps; i++) {
        PixWork before = work_since(run->device, (PixWork){0});
        pix_backend_forward(run->device, &run->steps[i].call);
        run->steps[i].work = work_since(run->device, before);
        if (marked)
            backend->mark(run->device);
    }
    return backend->finish(run->device, error);
}

static bool prepare(PixRun *run, GError **error)
{
    make_steps(run); /* again: now there is memory for the rest */
    for (guint i = 0; i < run->n_steps; i++)
        pix_backend_prepare(run->device, &run->steps[i].call);
    if (run->device->backend->record && !run->training) {
        run->commands = record(run, false, error);
        if (!run->commands)
            return false;
    }
    describe_layers(run);
    return true;
}

static PixRun *run_new(PixGraph *graph, PixDevice *device, const PixTensor *params,
                       const PixTensor *gradients, PixDtype maps, PixPlanKind kind, bool fixed,
                       GError **error)
{
    PixRun *run = g_new0(PixRun, 1);
    guint n = graph->nodes->len;
    run->graph = graph;
    run->device = pix_device_ref(device);
    run->params = params;
    run->param_gradients = gradients;
    run->training = kind != PIX_PLAN_INFERENCE;
    run->fixed = fixed;
    run->steps = g_new0(Step, n);
    run->needs = pix_graph_needs_gradient(graph, false);
    run->needs_input = pix_graph_needs_gradient(graph, true);
    run->written = g_new0(bool, n);
    if (!check_ops(run, error) || !allocate(run, maps, kind, error) ||
        !allocate_prepared(run, error) || !prepare(run, error)) {
        pix_run_free(run);
        return NULL;
    }
    return run;
}

PixRun *pix_run_new(PixGraph *graph, PixDevice *device, const PixTensor *params, bool fixed,
                    PixDtype maps, GError **error)
{
    return run_new(graph, device, params, NULL, maps, PIX_PLAN_INFERENCE, fixed, error);
}

PixRun *pix_run_new_training(PixGraph *graph, PixDevice *device, const PixTensor *params,
                             const PixTensor *gradients, bool input_gradient, GError **error)
{
    return run_new(graph, device, params, gradients, PIX_DTYPE_F32,
                   input_gradient ? PIX_PLAN_TRAINING_INPUT : PIX_PLAN_TRAINING, false, error);
}

void pix_run_free(PixRun *run)
{
    if (!run)
        return;
    const PixBackend *backend = run->device->backend;
    if (run->commands)
        backend->commands_free(run->device, run->commands);
    if (run->marked)
        backend->commands_free(run->device, run->marked);
    backend->buffer_free(run->device, run->prepared);
    backend->buffer_free(run->device, run->scratch);
    backend->buffer_free(run->device, run->block);
    for (guint i = 0; run->layers && i < run->n_steps; i++) { /* backward's are the same strings */
        g_free((char *)run->layers[i].name);
        g_free((char *)run->layers[i].reason);
    }
    g_free(run->layers);
    g_free(run->backward_layers);
    for (guint i = 0; i < run->n_steps; i++)
        g_free(run->steps[i].choice);
    g_free(run->steps);
    g_free(run->needs);
    g_free(run->needs_input);
    g_free(run->written);
    pix_plan_free(run->plan);
    pix_graph_free(run->graph);
    pix_device_unref(run->device);
    g_free(run);
}

const PixTensor *pix_run_input(const PixRun *run)
{
    return &run->plan->outputs[0];
}

const PixTensor *pix_run_output(const PixRun *run)
{
    return &run->plan->outputs[run->graph->output];
}

const PixTensor *pix_run_node(const PixRun *run, int index)
{
    return &run->plan->outputs[index];
}

const PixTensor *pix_run_input_gradient(const PixRun *run)
{
    return &run->plan->gradients[0];
}

const PixTensor *pix_run_output_gradient(const PixRun *run)
{
    return &run->plan->gradients[run->graph->output];
}

size_t pix_run_bytes(const PixRun *run)
{
    return run->plan->block_bytes + run->scratch_bytes + run->prepared_bytes;
}

PixDevice *pix_run_device(const PixRun *run)
{
    return run->device;
}

/* ---- walking ---- */

void pix_run_set_frame(PixRun *run, PixFrame frame)
{
    run->frame = frame;
}

void pix_run_ask(PixRun *run)
{
    for (guint i = 0; i < run->n_steps; i++)
        pix_backend_forward(run->device, &run->steps[i].call);
}

static void run_rows(PixRun *run)
{
    for (guint i = 0; i < run->n_steps; i++) {
        PixWork work = work_since(run->device, (PixWork){0});
        double before = layer_clock(run);
        pix_backend_forward(run->device, &run->steps[i].call);
        count_forward(run, i, layer_clock(run) - before);
        if (run->training)
            add_work(&run->layers[i], work_since(run->device, work));
    }
}

bool pix_run_forward(PixRun *run, PixFrame frame, GError **error)
{
    const PixBackend *backend = run->device->backend;
    run->frame = frame;
    if (!run->commands) {
        run_rows(run);
        return true;
    }
    return backend->submit(run->device, run->commands, error) &&
           backend->wait(run->device, run->commands, error);
}

bool pix_run_measure(PixRun *run, GError **error)
{
    const PixBackend *backend = run->device->backend;
    if (!run->commands || !backend->mark)
        return true;
    if (!run->marked)
        run->marked = record(run, true, error);
    if (!run->marked || !backend->submit(run->device, run->marked, error) ||
        !backend->wait(run->device, run->marked, error))
        return false;
    g_autofree double *ms = g_new0(double, run->n_steps);
    if (backend->read_marks(run->device, run->marked, ms, run->n_steps))
        for (guint i = 0; i < run->n_steps; i++)
            count_forward(run, i, ms[i]);
    return true;
}

bool pix_run_backward(PixRun *run, PixBackward what, GError **error)
{
    const bool *needs = what.input ? run->needs_input : run->needs;
    g_assert(run->training && (!what.input || run->plan->gradients[0].buffer));
    memset(run->written, 0, run->graph->nodes->len * sizeof *run->written);
    for (guint i = run->n_steps; i-- > 0;) {
        const Step *step = &run->steps[i];
        if (!needs[step->node])
            continue;
        PixWork work = work_since(run->device, (PixWork){0});
        double before = layer_clock(run);
        PixCall call = backward_call(run, step, what);
        pix_backend_backward(run->device, &call);
        count_backward(run, i, &call, layer_clock(run) - before);
        add_work(&run->backward_layers[run->n_steps - 1 - i], work_since(run->device, work));
    }
    return true;
}

const PixLayerTime *pix_run_layers(const PixRun *run, guint *n_layers)
{
    *n_layers = run->n_steps;
    return run->layers;
}

const PixLayerTime *pix_run_backward_layers(const PixRun *run, guint *n_layers)
{
    *n_layers = run->training ? run->n_steps : 0;
    return run->backward_layers;
}

static void clear_figures(PixLayerTime *layer)
{
    layer->ms = layer->flops = layer->bytes = layer->read_bytes = layer->written_bytes = 0;
    layer->dispatches = 0;
}

void pix_run_time_layers(PixRun *run, bool each)
{
    run->timed = each;
}

void pix_run_clear_layers(PixRun *run)
{
    g_assert(run->training);
    for (guint i = 0; i < run->n_steps; i++) {
        clear_figures(&run->layers[i]);
        clear_figures(&run->backward_layers[i]);
    }
}
