/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The penalty is a function of the gradient g = dD(x)/dx, and its own gradient is sum(v g) differentiated
 * by the weights, where v = d penalty / dg is held constant. sum(v g) is the derivative of D along v,
 * which is a network of its own: pix_graph_tangent().
 */
#include "derive.h"
#include "figures.h"
#include "pass.h"

/* Random words apart from dropout layers and initialisation. */
#define STREAM 0xFFFEu

struct PixPenalty {
    PixPass *pass;   /* for g */
    PixRun *tangent; /* for sum(v g) */
    int direction;   /* the tangent graph's node of v */
};

static PixRun *make_tangent(PixNetwork *network, int n, int height, int width, int *direction,
                            GError **error)
{
    g_autoptr(PixGraph) graph = pix_graph_copy(network->model->graph);
    pix_graph_set_training(graph, 0, false);
    g_autoptr(PixGraph) tangent = pix_graph_tangent(graph, direction, error);
    if (!tangent || !pix_graph_infer(tangent, n, height, width, error))
        return NULL;
    return pix_run_new_training(g_steal_pointer(&tangent), network->model->device,
                                network->model->params->tensors, network->gradients->tensors, false,
                                error);
}

PixPenalty *pix_penalty_new(PixNetwork *discriminator, int n, int height, int width, GError **error)
{
    g_return_val_if_fail(discriminator, NULL);
    PixPenalty *penalty = g_new0(PixPenalty, 1);
    penalty->pass = pix_pass_new(discriminator, n, height, width, PIX_PASS_INPUT_GRADIENT, error);
    if (penalty->pass)
        penalty->tangent =
            make_tangent(discriminator, n, height, width, &penalty->direction, error);
    if (!penalty->tangent) {
        pix_penalty_free(penalty);
        return NULL;
    }
    return penalty;
}

void pix_penalty_free(PixPenalty *penalty)
{
    if (!penalty)
        return;
    pix_run_free(penalty->tangent);
    pix_pass_free(penalty->pass);
    g_free(penalty);
}

guint64 pix_penalty_get_bytes(const PixPenalty *penalty)
{
    g_return_val_if_fail(penalty, 0);
    return pix_pass_get_bytes(penalty->pass) + pix_run_bytes(penalty->tangent);
}

static void fill_map(const PixMap *map, float value)
{
    const PixTensor *t = &map->tensor;
    PixBuffer *buffer = t->buffer;
    size_t bytes = map->device->backend->activation_bytes(map->device, t->shape, t->dtype);
    g_assert(t->c_whole == t->shape.c);
    map->device->backend->fill(map->device, (PixRange){buffer, t->offset, bytes}, value);
}

/* g, at the point in the pass's input. */
static bool find_gradient(PixPenalty *penalty, guint64 seed, guint64 number, GError **error)
{
    PixPass *pass = penalty->pass;
    if (!pix_pass_forward(pass, seed, number, error))
        return false;
    fill_map(&pass->output_gradient, 1);
    return pix_pass_backward(pass, PIX_BACKWARD_INPUT, error);
}

static bool add_gradient(PixPenalty *penalty, double weight, PixRange value, GError **error)
{
    PixPass *pass = penalty->pass;
    PixNetwork *network = pass->network;
    PixDevice *device = network->model->device;
    const PixBackend *backend = device->backend;
    const PixTensor *v = pix_run_node(penalty->tangent, penalty->direction);
    /* Parameters meet both the network and its tangent: all of them add. */
    if (network->fresh)
        backend->fill(device, pix_params_trained(network->gradients), 0);
    network->fresh = false;
    network->has_gradients = true;
    backend->copy(device, &pass->input.tensor, pix_run_input(penalty->tangent));
    backend->penalty(device, &pass->input_gradient.tensor, weight, value);
    backend->copy(device, &pass->input_gradient.tensor, v);
    if (!pix_run_forward(penalty->tangent, (PixFrame){0}, error))
        return false;
    PixMap dout = {device, *pix_run_output_gradient(penalty->tangent), NULL};
    fill_map(&dout, 1);
    return pix_run_backward(penalty->tangent, (PixBackward){.params = true}, error);
}

gboolean pix_penalty_backward(PixPenalty *penalty, const PixMap *real, const PixMap *fake,
                              double weight, guint64 seed, guint64 number, PixFigures *figures,
                              guint index, GError **error)
{
    g_return_val_if_fail(penalty && real && fake && figures && index < figures->count, FALSE);
    PixMap *x = &penalty->pass->input;
    PixMaskKey key = {seed, number, STREAM};
    g_return_val_if_fail(pix_shape_equal(real->tensor.shape, x->tensor.shape), FALSE);
    g_return_val_if_fail(pix_shape_equal(fake->tensor.shape, x->tensor.shape), FALSE);
    x->device->backend->copy(x->device, &real->tensor, &x->tensor);
    x->device->backend->mix(x->device, &x->tensor, &fake->tensor, &key);
    return find_gradient(penalty, seed, number, error) &&
           add_gradient(penalty, weight, pix_figures_range(figures, index, 1), error);
}
