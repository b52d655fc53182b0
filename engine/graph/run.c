/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run.h"

#include "clock.h"
#include "error.h"
#include "plan.h"

struct PixRun {
    PixDevice *device;
    PixGraph *graph;
    PixPlan *plan;
    PixBuffer *block, *scratch;
    size_t scratch_bytes;
    PixCommands *commands; /* of a RECORDED backend */
    PixFrame frame;        /* of the current run; calls point to it */
    PixCall *calls;        /* one for each node but the input */
    PixLayerTime *layers;  /* as many */
    guint n_calls;
};

static bool check_ops(const PixGraph *graph, const PixDevice *device, GError **error)
{
    for (guint i = 0; i < graph->nodes->len; i++) {
        const PixNode *node = pix_graph_node(graph, (int)i);
        if (!pix_backend_supports(device, node->op.kind, false))
            return pix_fail(error, PIX_ERROR_UNSUPPORTED, "%s: %s cannot do \"%s\"", node->name,
                            device->info.name, pix_op_name(node->op.kind));
    }
    return true;
}

static PixCall call_of(PixRun *run, const PixTensor *params, int index)
{
    const PixNode *node = pix_graph_node(run->graph, index);
    PixCall call = {.op = &node->op,
                    .out = run->plan->tensors[index],
                    .frame = &run->frame,
                    .scratch = run->scratch,
                    .commands = run->commands};
    for (int j = 0; j < pix_op_n_inputs(node->op.kind); j++)
        call.in[j] = run->plan->tensors[node->in[j]];
    for (int j = 0; j < PIX_SLOT_COUNT; j++)
        if (node->param[j] >= 0)
            call.param[j] = params[node->param[j]];
    return call;
}

static double tensor_bytes(const PixTensor *t)
{
    return t->buffer ? (double)pix_shape_count(t->shape) * sizeof(float) : 0;
}

static PixLayerTime layer_of(const PixRun *run, const PixCall *call, const char *name)
{
    const PixRow *row = &run->device->backend->rows[call->op->kind];
    PixShape in[PIX_MAX_INPUTS] = {call->in[0].shape, call->in[1].shape};
    g_autofree char *what = pix_op_describe(call->op, in[0], call->out.shape);
    PixLayerTime layer = {.name = g_strdup_printf("%s: %s", name, what),
                          .algorithm = row->algorithm(run->device, call),
                          .flops = pix_op_flops(call->op, in, call->out.shape),
                          .bytes = tensor_bytes(&call->out)};
    for (int j = 0; j < PIX_MAX_INPUTS; j++)
        layer.bytes += tensor_bytes(&call->in[j]);
    for (int j = 0; j < PIX_SLOT_COUNT; j++)
        layer.bytes += tensor_bytes(&call->param[j]);
    return layer;
}

static void make_calls(PixRun *run, const PixTensor *params)
{
    for (guint i = 0; i < run->n_calls; i++)
        run->calls[i] = call_of(run, params, (int)i + 1);
}

static bool allocate(PixRun *run, const PixTensor *params, GError **error)
{
    const PixBackend *backend = run->device->backend;
    run->plan = pix_plan_new(run->graph, run->device, error);
    if (!run->plan)
        return false;
    run->block = backend->buffer_new(run->device, run->plan->block_bytes, error);
    if (!run->block)
        return false;
    for (size_t i = 0; i < run->plan->n_tensors; i++)
        run->plan->tensors[i].buffer = run->block;
    make_calls(run, params);
    for (guint i = 0; i < run->n_calls; i++)
        run->scratch_bytes =
            MAX(run->scratch_bytes, pix_backend_scratch(run->device, &run->calls[i], false));
    run->scratch = backend->buffer_new(run->device, run->scratch_bytes, error);
    return run->scratch != NULL;
}

static void run_rows(PixRun *run)
{
    for (guint i = 0; i < run->n_calls; i++) {
        double before = pix_clock_ms();
        pix_backend_forward(run->device, &run->calls[i]);
        run->layers[i].ms = pix_clock_ms() - before;
    }
}

static bool prepare(PixRun *run, const PixTensor *params, GError **error)
{
    const PixBackend *backend = run->device->backend;
    if (backend->begin && !(run->commands = backend->begin(run->device, error)))
        return false;
    make_calls(run, params); /* again: now there are scratch and commands */
    if (run->commands)
        run_rows(run);
    return true;
}

PixRun *pix_run_new(PixGraph *graph, PixDevice *device, const PixTensor *params, GError **error)
{
    PixRun *run = g_new0(PixRun, 1);
    run->graph = graph;
    run->device = pix_device_ref(device);
    run->n_calls = graph->nodes->len - 1;
    run->calls = g_new0(PixCall, run->n_calls);
    run->layers = g_new0(PixLayerTime, run->n_calls);
    if (!check_ops(graph, device, error) || !allocate(run, params, error) ||
        !prepare(run, params, error)) {
        pix_run_free(run);
        return NULL;
    }
    for (guint i = 0; i < run->n_calls; i++)
        run->layers[i] = layer_of(run, &run->calls[i], pix_graph_node(graph, (int)i + 1)->name);
    return run;
}

void pix_run_free(PixRun *run)
{
    if (!run)
        return;
    const PixBackend *backend = run->device->backend;
    if (run->commands)
        backend->commands_free(run->device, run->commands);
    backend->buffer_free(run->device, run->scratch);
    backend->buffer_free(run->device, run->block);
    for (guint i = 0; i < run->n_calls; i++)
        g_free((char *)run->layers[i].name);
    g_free(run->layers);
    g_free(run->calls);
    pix_plan_free(run->plan);
    pix_graph_free(run->graph);
    pix_device_unref(run->device);
    g_free(run);
}

const PixTensor *pix_run_input(const PixRun *run)
{
    return &run->plan->tensors[0];
}

const PixTensor *pix_run_output(const PixRun *run)
{
    return &run->plan->tensors[run->graph->output];
}

size_t pix_run_bytes(const PixRun *run)
{
    return run->plan->block_bytes + run->scratch_bytes;
}

bool pix_run_forward(PixRun *run, PixFrame frame, GError **error)
{
    const PixBackend *backend = run->device->backend;
    run->frame = frame;
    if (!run->commands) {
        run_rows(run);
        return true;
    }
    return backend->submit(run->device, run->commands, &frame, error) &&
           backend->wait(run->device, run->commands, error);
}

const PixLayerTime *pix_run_layers(const PixRun *run, guint *n_layers)
{
    *n_layers = run->n_calls;
    return run->layers;
}
