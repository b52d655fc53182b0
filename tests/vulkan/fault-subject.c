/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the tests of faults run: a tiny network translates a frame and learns for one step, on the CPU
 * and then on PIX2PIX_DEVICE. Exit status 0: both agree. 3: the device failed, with one line of the
 * form "CODE: text"; opened again beside the one that failed, it agreed. 4: it failed again. 1: a
 * result was wrong, and nothing said so.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pix2pix/pix-train.h>

#include "compare.h"

#define SIDE 8
#define COUNT ((size_t)3 * SIDE * SIDE)
#define MOST_VALUES 4096 /* of all tensors of the network */

typedef struct {
    guint8 frame[COUNT];
    double loss;
    float gradients[MOST_VALUES], weights[MOST_VALUES];
    size_t n;
} Result;

static const char *const codes[] = {
    [PIX_ERROR_NO_DEVICE] = "NO_DEVICE",
    [PIX_ERROR_DEVICE_LOST] = "DEVICE_LOST",
    [PIX_ERROR_NO_MEMORY] = "NO_MEMORY",
    [PIX_ERROR_NOT_FOUND] = "NOT_FOUND",
    [PIX_ERROR_IO] = "IO",
    [PIX_ERROR_BAD_CHECKPOINT] = "BAD_CHECKPOINT",
    [PIX_ERROR_BAD_SHAPE] = "BAD_SHAPE",
    [PIX_ERROR_UNSUPPORTED] = "UNSUPPORTED",
};

static PixNetwork *make_network(PixDevice *device, GError **error)
{
    const PixNetworkOptions options = {.architecture = "unet_8",
                                       .norm = "batch",
                                       .in_channels = 3,
                                       .out_channels = 3,
                                       .filters = 1};
    g_autoptr(PixNetwork) network = pix_network_new(device, &options, error);
    if (!network || !pix_network_init(network, PIX_INIT_NORMAL, 0.2, 1, error))
        return NULL;
    return g_steal_pointer(&network);
}

static gboolean translate(PixNetwork *network, int frames, Result *result, GError **error)
{
    PixModel *model = pix_network_get_model(network);
    PixSessionOptions options;
    guint8 pixels[COUNT];
    PixImage in = {pixels, 3 * SIDE, SIDE, SIDE, 3, 3, {0, 1, 2}}, out = in;
    pix_session_options_init(&options, model);
    options.width = options.height = SIDE;
    g_autoptr(PixSession) session = pix_session_new(model, &options, error);
    for (size_t i = 0; i < COUNT; i++)
        pixels[i] = (guint8)(i * 37);
    out.data = result->frame;
    for (int i = 0; session && i < frames; i++)
        if (!pix_session_translate(session, &in, &out, error))
            return FALSE;
    return session != NULL;
}

static gboolean read_all(PixNetwork *network, PixValues what, float *values, size_t *n,
                         GError **error)
{
    *n = 0;
    for (guint i = 0; i < pix_network_get_n_tensors(network); i++) {
        int rank, dims[4];
        size_t count = 1;
        pix_network_get_tensor(network, i, &rank, dims);
        for (int j = 0; j < rank; j++)
            count *= (size_t)dims[j];
        g_assert(*n + count <= MOST_VALUES);
        if (!pix_network_read(network, what, i, values + *n, error))
            return FALSE;
        *n += count;
    }
    return TRUE;
}

static gboolean learn(PixNetwork *network, Result *result, GError **error)
{
    PixDevice *device = pix_model_get_device(pix_network_get_model(network));
    float x[COUNT], y[COUNT];
    double found[2];
    g_autoptr(PixFigures) figures = pix_figures_new(device, 2, error);
    const PixAdam adam = {2e-4, 0.5, 0.999, 1e-8, 1, figures, 0.5, 1};
    g_autoptr(PixPass) pass = figures ? pix_pass_new(network, 1, SIDE, SIDE, 0, error) : NULL;
    g_autoptr(PixMap) target =
        pass ? pix_map_new(device, (const int[]){1, 3, SIDE, SIDE}, error) : NULL;
    compare_fill(x, COUNT, 1, 1);
    compare_fill(y, COUNT, 1, 2);
    if (!target || !pix_map_write(pix_pass_get_input(pass), x, error) ||
        !pix_map_write(target, y, error) || !pix_pass_forward(pass, 0, 0, error))
        return FALSE;
    pix_loss_l2(pix_pass_get_output(pass), target, 1, pix_pass_get_output_gradient(pass), FALSE,
                figures, 0);
    pix_network_clear_gradients(network);
    if (!pix_pass_backward(pass, PIX_BACKWARD_PARAMETERS, error))
        return FALSE;
    pix_network_sum_squares(network, figures, 1);
    pix_network_adam(network, &adam);
    if (!pix_figures_read(figures, found, error))
        return FALSE;
    result->loss = found[0];
    return read_all(network, PIX_VALUES_GRADIENTS, result->gradients, &result->n, error) &&
           read_all(network, PIX_VALUES_WEIGHTS, result->weights, &result->n, error);
}

static gboolean run(PixDevice *device, int frames, Result *result, GError **error)
{
    g_autoptr(PixNetwork) network = device ? make_network(device, error) : NULL;
    return network && translate(network, frames, result, error) && learn(network, result, error);
}

static gboolean is_near(const float *found, const float *expected, size_t n, double nmse)
{
    double values[MOST_VALUES];
    for (size_t i = 0; i < n; i++)
        values[i] = expected[i];
    return compare(found, values, n).nmse < nmse;
}

static gboolean agree(const Result *a, const Result *b)
{
    for (size_t i = 0; i < COUNT; i++)
        if (abs(a->frame[i] - b->frame[i]) > 1)
            return FALSE;
    return a->n == b->n && fabs(a->loss - b->loss) <= 1e-5 * fabs(b->loss) &&
           is_near(a->gradients, b->gradients, a->n, 1e-8) &&
           is_near(a->weights, b->weights, a->n, 1e-5);
}

/* Returns: the exit status of a device that has failed once. */
static int run_again(int frames, const Result *expected)
{
    Result result = {{0}};
    GError *error = NULL;
    g_autoptr(PixDevice) device = pix_device_open(NULL, 1, &error);
    if (run(device, frames, &result, &error))
        return agree(&result, expected) ? 3 : 1;
    fprintf(stderr, "again %s: %s\n", codes[error->code], error->message);
    g_error_free(error);
    return 4;
}

int main(int argc, char **argv)
{
    int frames = argc > 1 ? atoi(argv[1]) : 1;
    Result expected = {{0}}, result = {{0}};
    GError *error = NULL;
    g_autoptr(PixDevice) cpu = pix_device_open("cpu", 1, NULL);
    if (!run(cpu, frames, &expected, &error))
        g_error("the CPU fails: %s", error->message);
    g_autoptr(PixDevice) device = pix_device_open(NULL, 1, &error);
    if (run(device, frames, &result, &error))
        return agree(&result, &expected) ? 0 : 1;
    if (error->domain != PIX_ERROR)
        return 1;
    fprintf(stderr, "%s: %s\n", codes[error->code], error->message);
    g_error_free(error);
    return run_again(frames, &expected);
}
