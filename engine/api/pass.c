/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pass.h"

#include "derive.h"
#include "error.h"
#include "fuse.h"

/* The network at this size, as the device will run it forward and back. */
static PixGraph *specialise(PixNetwork *network, int n, int height, int width, bool dropout,
                            GError **error)
{
    const PixModel *model = network->model;
    g_autoptr(PixGraph) graph = pix_graph_copy(model->graph);
    pix_graph_set_training(graph, PIX_RUNNING_MOMENTUM, dropout);
    if (!pix_graph_infer(graph, n, height, width, error)) {
        g_prefix_error(error, "%s: ", model->name);
        return NULL;
    }
    PixGraph *fused = pix_graph_fuse_for_training(graph);
    if (!pix_graph_infer(fused, n, height, width, error)) {
        pix_graph_free(fused);
        return NULL;
    }
    return fused;
}

/* Torch refuses these too: a single value has no variance. */
static bool check_norms(const PixGraph *graph, GError **error)
{
    for (guint i = 0; i < graph->nodes->len; i++) {
        const PixNode *node = pix_graph_node(graph, (int)i);
        if (node->op.kind != PIX_OP_NORM || node->op.norm.kind != PIX_NORM_INSTANCE)
            continue;
        if (node->shape.h * node->shape.w == 1)
            return pix_fail(error, PIX_ERROR_BAD_SHAPE,
                            "%s: instance norm of a map of one pixel leaves nothing; use larger "
                            "images, fewer levels or batch norm",
                            node->name);
    }
    return true;
}

PixPass *pix_pass_new(PixNetwork *network, int n, int height, int width, PixPassFlags flags,
                      GError **error)
{
    g_return_val_if_fail(network, NULL);
    if (!pix_model_check_size(network->model, width, height, error))
        return NULL;
    PixGraph *graph = specialise(network, n, height, width, (flags & PIX_PASS_DROPOUT) != 0, error);
    if (!graph)
        return NULL;
    if (!check_norms(graph, error)) {
        pix_graph_free(graph);
        return NULL;
    }
    PixRun *run = pix_run_new_training(graph, network->model->device,
                                       network->model->params->tensors, network->gradients->tensors,
                                       (flags & PIX_PASS_INPUT_GRADIENT) != 0, error);
    if (!run)
        return NULL;
    PixDevice *device = network->model->device;
    PixPass *pass = g_new(PixPass, 1);
    *pass = (PixPass){.network = network,
                      .run = run,
                      .input = {device, *pix_run_input(run), NULL},
                      .output = {device, *pix_run_output(run), NULL},
                      .input_gradient = {device, *pix_run_input_gradient(run), NULL},
                      .output_gradient = {device, *pix_run_output_gradient(run), NULL}};
    return pass;
}

void pix_pass_free(PixPass *pass)
{
    if (!pass)
        return;
    pix_run_free(pass->run);
    g_free(pass);
}

guint64 pix_pass_get_bytes(const PixPass *pass)
{
    g_return_val_if_fail(pass, 0);
    return pix_run_bytes(pass->run);
}

PixMap *pix_pass_get_input(PixPass *pass)
{
    g_return_val_if_fail(pass, NULL);
    return &pass->input;
}

PixMap *pix_pass_get_output(PixPass *pass)
{
    g_return_val_if_fail(pass, NULL);
    return &pass->output;
}

PixMap *pix_pass_get_input_gradient(PixPass *pass)
{
    g_return_val_if_fail(pass, NULL);
    return pass->input_gradient.tensor.buffer ? &pass->input_gradient : NULL;
}

PixMap *pix_pass_get_output_gradient(PixPass *pass)
{
    g_return_val_if_fail(pass, NULL);
    return &pass->output_gradient;
}

gboolean pix_pass_forward(PixPass *pass, guint64 seed, guint64 number, GError **error)
{
    g_return_val_if_fail(pass, FALSE);
    return pix_run_forward(pass->run, (PixFrame){seed, number}, error);
}

gboolean pix_pass_backward(PixPass *pass, PixBackwardFlags what, GError **error)
{
    g_return_val_if_fail(pass, FALSE);
    PixBackward back = {.params = (what & PIX_BACKWARD_PARAMETERS) != 0,
                        .fresh = pass->network->fresh,
                        .input = (what & PIX_BACKWARD_INPUT) != 0};
    g_return_val_if_fail(!back.input || pass->input_gradient.tensor.buffer, FALSE);
    if (back.params)
        pix_network_touch_gradients(pass->network);
    if (!pix_run_backward(pass->run, back, error))
        return FALSE;
    if (back.params)
        pass->network->fresh = false;
    return TRUE;
}

const PixLayerTime *pix_pass_get_layers(PixPass *pass, gboolean backward, guint *n_layers)
{
    g_return_val_if_fail(pass && n_layers, NULL);
    return backward ? pix_run_backward_layers(pass->run, n_layers)
                    : pix_run_layers(pass->run, n_layers);
}

void pix_pass_time_layers(PixPass *pass, gboolean each)
{
    g_return_if_fail(pass);
    pix_run_time_layers(pass->run, each);
}

void pix_pass_clear_layers(PixPass *pass)
{
    g_return_if_fail(pass);
    pix_run_clear_layers(pass->run);
}
