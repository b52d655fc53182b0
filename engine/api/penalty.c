/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The penalty is a function of the gradient g = dD(x)/dx, and its own gradient is sum(v g) differentiated
 * by the weights, where v = d penalty / dg is held constant. sum(v g) is the derivative of D along v,
 * which is a network of its own: pix_graph_tangent().
 */
#include <math.h>

#include "derive.h"
#include "error.h"
#include "pass.h"
#include "reader.h"
#include "rng.h"

/* Random words apart from dropout layers and initialisation. */
#define STREAM 0xFFFEu

struct PixPenalty {
    PixPass *pass;   /* for g */
    PixRun *tangent; /* for sum(v g) */
    int direction;   /* the tangent graph's node of v */
    size_t n_values; /* of the input */
    float *x, *fake; /* room for it, on the host */
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
    if (penalty->tangent) {
        penalty->n_values = pix_shape_count(penalty->pass->input.tensor.shape);
        penalty->x = pix_try_alloc(penalty->n_values, sizeof(float), error);
        penalty->fake = penalty->x ? pix_try_alloc(penalty->n_values, sizeof(float), error) : NULL;
    }
    if (!penalty->fake) {
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
    g_free(penalty->x);
    g_free(penalty->fake);
    g_free(penalty);
}

guint64 pix_penalty_get_bytes(const PixPenalty *penalty)
{
    g_return_val_if_fail(penalty, 0);
    return pix_pass_get_bytes(penalty->pass) + pix_run_bytes(penalty->tangent) +
           2 * penalty->n_values * sizeof(float);
}

/* x = a * real + (1 - a) * fake, with one a for each sample. */
static void mix(const PixPenalty *penalty, size_t n, guint64 seed, guint64 number)
{
    PixMaskKey key = {seed, number, STREAM};
    size_t each = penalty->n_values / n;
    for (size_t i = 0; i < n; i++) {
        float a = (float)(pix_rng_word(&key, i) / 4294967296.0);
        float *x = penalty->x + i * each, *fake = penalty->fake + i * each;
        for (size_t j = 0; j < each; j++)
            x[j] = a * x[j] + (1 - a) * fake[j];
    }
}

/* Turns g into v, in place. Returns: the penalty. The norm's 1e-16 is of the source. */
static double differentiate(float *g, size_t n, size_t each, double weight)
{
    double penalty = 0;
    for (size_t i = 0; i < n; i++, g += each) {
        double squares = 0;
        for (size_t j = 0; j < each; j++)
            squares += (g[j] + 1e-16) * (g[j] + 1e-16);
        double norm = sqrt(squares);
        penalty += (norm - 1) * (norm - 1) / (double)n;
        double scale = norm > 0 ? weight * 2 * (norm - 1) / norm / (double)n : 0;
        for (size_t j = 0; j < each; j++)
            g[j] = (float)(scale * g[j]);
    }
    return penalty;
}

static void fill_map(const PixMap *map, float value)
{
    const PixTensor *t = &map->tensor;
    PixBuffer *buffer = t->buffer;
    size_t bytes = map->device->backend->activation_bytes(map->device, t->shape);
    g_assert(t->c_whole == t->shape.c);
    map->device->backend->fill(map->device, (PixRange){buffer, t->offset, bytes}, value);
}

/* g at x, on the host in penalty->fake. */
static bool find_gradient(PixPenalty *penalty, guint64 seed, guint64 number, GError **error)
{
    PixPass *pass = penalty->pass;
    if (!pix_map_write(&pass->input, penalty->x, error) ||
        !pix_pass_forward(pass, seed, number, error))
        return false;
    fill_map(&pass->output_gradient, 1);
    return pix_pass_backward(pass, PIX_BACKWARD_INPUT, error) &&
           pix_map_read(&pass->input_gradient, penalty->fake, error);
}

static bool add_gradient(PixPenalty *penalty, GError **error)
{
    PixNetwork *network = penalty->pass->network;
    PixDevice *device = network->model->device;
    const PixBackend *backend = device->backend;
    const PixTensor *direction = pix_run_node(penalty->tangent, penalty->direction);
    /* Parameters meet both the network and its tangent: all of them add. */
    if (network->fresh)
        backend->fill(device, pix_params_trained(network->gradients), 0);
    network->fresh = false;
    network->has_gradients = true;
    if (!backend->write(device, pix_run_input(penalty->tangent), penalty->x, error) ||
        !backend->write(device, direction, penalty->fake, error) ||
        !pix_run_forward(penalty->tangent, (PixFrame){0}, error))
        return false;
    PixMap dout = {device, *pix_run_output_gradient(penalty->tangent), NULL};
    fill_map(&dout, 1);
    return pix_run_backward(penalty->tangent, (PixBackward){.params = true}, error);
}

gboolean pix_penalty_backward(PixPenalty *penalty, const PixMap *real, const PixMap *fake,
                              double weight, guint64 seed, guint64 number, double *value,
                              GError **error)
{
    g_return_val_if_fail(penalty && real && fake && value, FALSE);
    PixShape shape = penalty->pass->input.tensor.shape;
    g_return_val_if_fail(pix_shape_equal(real->tensor.shape, shape), FALSE);
    g_return_val_if_fail(pix_shape_equal(fake->tensor.shape, shape), FALSE);
    size_t n = (size_t)shape.n;
    if (!pix_map_read(real, penalty->x, error) || !pix_map_read(fake, penalty->fake, error))
        return FALSE;
    mix(penalty, n, seed, number);
    if (!find_gradient(penalty, seed, number, error))
        return FALSE;
    *value = differentiate(penalty->fake, n, penalty->n_values / n, weight);
    return add_gradient(penalty, error);
}
