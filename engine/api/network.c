/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network.h"

#include <math.h>
#include <string.h>

#include "checkpoint-write.h"
#include "checkpoint.h"
#include "error.h"
#include "figures.h"
#include "init.h"
#include "model-info.h"
#include "reader.h"

/* ---- making ---- */

static bool parse_norm(const char *word, PixNormKind *norm, GError **error)
{
    for (size_t i = 0; pix_norm_names[i]; i++)
        if (strcmp(word, pix_norm_names[i]) == 0) {
            *norm = (PixNormKind)i;
            return true;
        }
    return pix_fail(error, PIX_ERROR_UNSUPPORTED,
                    "no norm is called \"%s\"; there are batch, instance, none", word);
}

static bool make_arch(const PixNetworkOptions *o, PixArch *arch, GError **error)
{
    PixNormKind norm = PIX_NORM_NONE;
    if (!pix_arch_parse(o->architecture, arch, error) || !parse_norm(o->norm, &norm, error))
        return false;
    pix_arch_set_norm(arch, norm);
    arch->in_channels = o->in_channels;
    arch->out_channels = o->out_channels;
    arch->filters = o->filters;
    arch->dropout = o->dropout && pix_arch_is_generator(arch);
    return pix_arch_check(arch, error);
}

static bool allocate(PixNetwork *network, GError **error)
{
    const PixGraph *graph = network->model->graph;
    PixDevice *device = network->model->device;
    return (network->gradients = pix_params_new(graph, device, PIX_DTYPE_F32, true, error)) &&
           (network->first_moments = pix_params_new(graph, device, PIX_DTYPE_F32, true, error)) &&
           (network->second_moments = pix_params_new(graph, device, PIX_DTYPE_F32, true, error));
}

/** @model: (transfer full) (nullable): NULL with @error set already. */
static PixNetwork *network_new(PixModel *model, const PixArch *arch, GError **error)
{
    if (!model)
        return NULL;
    PixNetwork *network = g_new0(PixNetwork, 1);
    const PixModelInfo *info = &model->info;
    network->model = model;
    model->learns = true;
    network->arch = *arch;
    network->fresh = true;
    network->options = (PixNetworkOptions){.architecture = info->architecture,
                                           .norm = info->norm,
                                           .in_channels = arch->in_channels,
                                           .out_channels = arch->out_channels,
                                           .filters = arch->filters,
                                           .dropout = arch->dropout};
    if (!allocate(network, error)) {
        pix_network_free(network);
        return NULL;
    }
    return network;
}

PixNetwork *pix_network_new(PixDevice *device, const PixNetworkOptions *options, GError **error)
{
    g_return_val_if_fail(device && options && options->architecture && options->norm, NULL);
    PixArch arch;
    if (!make_arch(options, &arch, error))
        return NULL;
    PixGraph *graph = pix_arch_build(&arch);
    g_autofree char *name = pix_arch_name(&arch);
    PixSettings settings = {PIX_STATISTICS_FRAME, pix_arch_side(&arch), pix_arch_side(&arch),
                            PIX_PRECISION_FP32};
    PixModelInfo info;
    pix_model_info_init(&info, &arch, graph, &settings, name);
    info.layout = info.container = "native";
    return network_new(
        pix_model_empty(device, graph, &info, "this network", PIX_PRECISION_FP32, error), &arch,
        error);
}

PixNetwork *pix_network_open(PixDevice *device, PixCheckpoint *checkpoint, GError **error)
{
    g_return_val_if_fail(device && checkpoint, NULL);
    return network_new(pix_model_new(device, checkpoint, PIX_PRECISION_FP32, error),
                       pix_checkpoint_get_arch(checkpoint), error);
}

void pix_network_free(PixNetwork *network)
{
    if (!network)
        return;
    pix_params_free(network->gradients);
    pix_params_free(network->first_moments);
    pix_params_free(network->second_moments);
    pix_params_free(network->average);
    pix_model_unref(network->model);
    g_free(network);
}

void pix_network_set_dropout(PixNetwork *network, gboolean dropout)
{
    g_return_if_fail(network && network->model->info.is_generator);
    PixModel *model = network->model;
    network->arch.dropout = dropout;
    PixGraph *graph = pix_arch_build(&network->arch);
    g_assert(graph->params->len == model->graph->params->len);
    pix_graph_free(model->graph);
    model->graph = graph;
    model->info.has_dropout = pix_model_has_dropout(graph);
    network->options.dropout = dropout;
}

gboolean pix_network_init(PixNetwork *network, PixInit init, double gain, guint64 seed,
                          GError **error)
{
    g_return_val_if_fail(network && (guint)init <= PIX_INIT_ORTHOGONAL, FALSE);
    const PixGraph *graph = network->model->graph;
    g_autofree float *values = pix_try_alloc(pix_params_largest(graph), sizeof(float), error);
    if (!values)
        return FALSE;
    for (guint i = 0; i < graph->params->len; i++) {
        pix_init_values(pix_graph_param(graph, (int)i), init, gain, seed, i, values);
        if (!pix_params_write(network->model->params, graph, (int)i, values, error))
            return FALSE;
    }
    return pix_params_settle(network->model->params, error);
}

/* ---- what it is ---- */

const PixModelInfo *pix_network_get_info(const PixNetwork *network)
{
    g_return_val_if_fail(network, NULL);
    return &network->model->info;
}

const PixNetworkOptions *pix_network_get_options(const PixNetwork *network)
{
    g_return_val_if_fail(network, NULL);
    return &network->options;
}

PixModel *pix_network_get_model(PixNetwork *network)
{
    g_return_val_if_fail(network, NULL);
    return network->model;
}

guint64 pix_network_get_bytes(const PixNetwork *network)
{
    g_return_val_if_fail(network, 0);
    return network->model->params->bytes + network->gradients->bytes +
           network->first_moments->bytes + network->second_moments->bytes +
           (network->average ? network->average->bytes : 0);
}

guint64 pix_network_get_steps(const PixNetwork *network)
{
    g_return_val_if_fail(network, 0);
    return network->steps;
}

guint pix_network_get_n_tensors(const PixNetwork *network)
{
    g_return_val_if_fail(network, 0);
    return network->model->graph->params->len;
}

const char *pix_network_get_tensor(const PixNetwork *network, guint index, int *rank, int dims[4])
{
    g_return_val_if_fail(network && rank && dims, NULL);
    g_return_val_if_fail(index < pix_network_get_n_tensors(network), NULL);
    const PixParam *param = pix_graph_param(network->model->graph, (int)index);
    *rank = param->rank;
    memcpy(dims, param->dims, sizeof param->dims);
    return param->name;
}

gboolean pix_network_read(PixNetwork *network, PixValues what, guint index, float *values,
                          GError **error)
{
    g_return_val_if_fail(network && values, FALSE);
    g_return_val_if_fail(index < pix_network_get_n_tensors(network), FALSE);
    const PixGraph *graph = network->model->graph;
    const PixParam *param = pix_graph_param(graph, (int)index);
    if (what == PIX_VALUES_WEIGHTS)
        return pix_params_read(network->model->params, graph, (int)index, values, error);
    if (!pix_slot_is_trained(param->slot)) {
        memset(values, 0, pix_param_count(param) * sizeof *values);
        return TRUE;
    }
    return pix_params_read(network->gradients, graph, (int)index, values, error);
}

/* ---- saving ---- */

typedef struct {
    PixNetwork *network;
    const char *file;
    bool average;
} Saver;

static bool read_for_save(gpointer user_data, guint index, float *values, GError **error)
{
    const Saver *saver = user_data;
    const PixNetwork *network = saver->network;
    const PixGraph *graph = network->model->graph;
    const PixParam *param = pix_graph_param(graph, (int)index);
    bool from_average = saver->average && network->average && pix_slot_is_trained(param->slot);
    const PixParams *params = from_average ? network->average : network->model->params;
    if (!pix_params_read(params, graph, (int)index, values, error))
        return false;
    for (size_t i = 0; i < pix_param_count(param); i++)
        if (!isfinite(values[i]))
            return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                            "%s: not written: %s holds NaN or infinite values", saver->file,
                            param->name);
    return true;
}

gboolean pix_network_save(PixNetwork *network, const char *file, int width, int height,
                          PixStatistics statistics, gboolean average, GError **error)
{
    g_return_val_if_fail(network && file && width > 0 && height > 0, FALSE);
    g_return_val_if_fail(statistics != PIX_STATISTICS_AUTO, FALSE);
    PixSettings settings = {statistics, width, height, PIX_PRECISION_FP32};
    Saver saver = {network, file, average};
    return pix_checkpoint_write(file, &network->arch, network->model->graph, &settings, NULL,
                                read_for_save, &saver, error);
}

/* ---- gradients and the optimiser ---- */

void pix_network_clear_gradients(PixNetwork *network)
{
    g_return_if_fail(network);
    network->fresh = true;
}

void pix_network_sum_squares(PixNetwork *network, PixFigures *figures, guint index)
{
    g_return_if_fail(network && figures && index < figures->count && !network->fresh);
    PixDevice *device = network->model->device;
    device->backend->sum_squares(device, pix_params_trained(network->gradients),
                                 pix_figures_range(figures, index, 1));
}

/* Of each tensor; those that are not trained have none. */
static void sum_tensors(PixNetwork *network, PixFigures *figures)
{
    PixDevice *device = network->model->device;
    const PixGraph *graph = network->model->graph;
    for (guint i = 0; i < graph->params->len; i++)
        if (pix_slot_is_trained(pix_graph_param(graph, (int)i)->slot))
            device->backend->sum_squares(device,
                                         pix_params_range(network->gradients, graph, (int)i),
                                         pix_figures_range(figures, i, 1));
}

gboolean pix_network_get_gradient_norm(PixNetwork *network, double *norm, GError **error)
{
    g_return_val_if_fail(network && norm && !network->fresh, FALSE);
    const PixGraph *graph = network->model->graph;
    guint n = graph->params->len;
    g_autoptr(PixFigures) figures = pix_figures_new(network->model->device, n + 1, error);
    g_autofree double *squares = g_new(double, n + 1);
    if (!figures)
        return FALSE;
    sum_tensors(network, figures);
    pix_network_sum_squares(network, figures, n);
    if (!pix_figures_read(figures, squares, error))
        return FALSE;
    *norm = sqrt(squares[n]);
    if (isfinite(*norm))
        return TRUE;
    for (guint i = 0; i < n; i++)
        if (!isfinite(squares[i]))
            return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                            "the gradient of %s (%s) holds NaN or infinite values",
                            pix_graph_param(graph, (int)i)->name,
                            network->model->info.architecture);
    return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT, "the gradients of the %s overflow",
                    network->model->info.architecture);
}

void pix_network_touch_gradients(PixNetwork *network)
{
    PixDevice *device = network->model->device;
    if (!network->has_gradients)
        device->backend->fill(device, pix_params_trained(network->gradients), 0);
    network->has_gradients = true;
}

void pix_network_touch_moments(PixNetwork *network)
{
    PixDevice *device = network->model->device;
    if (network->has_moments)
        return;
    device->backend->fill(device, pix_params_trained(network->first_moments), 0);
    device->backend->fill(device, pix_params_trained(network->second_moments), 0);
    network->has_moments = true;
}

void pix_network_adam(PixNetwork *network, const PixAdam *adam)
{
    g_return_if_fail(network && adam && !network->fresh);
    g_return_if_fail(adam->longest == 0 || (adam->figures && adam->squares < adam->figures->count));
    PixFigures *figures = adam->figures;
    PixDevice *device = network->model->device;
    pix_network_touch_moments(network);
    double step = (double)++network->steps;
    PixRange weights = pix_params_trained(network->model->params);
    device->backend->adam(
        device, &(PixAdamCall){.weights = weights,
                               .gradients = pix_params_trained(network->gradients),
                               .m = pix_params_trained(network->first_moments),
                               .v = pix_params_trained(network->second_moments),
                               .figures = figures ? pix_figures_range(figures, 0, figures->count)
                                                  : (PixRange){0},
                               .squares = adam->squares,
                               .scale = adam->gradient_scale,
                               .longest = adam->longest,
                               .beta1 = (float)adam->beta1,
                               .share1 = (float)(1 - adam->beta1),
                               .beta2 = (float)adam->beta2,
                               .share2 = (float)(1 - adam->beta2),
                               .rate = (float)(adam->learning_rate / (1 - pow(adam->beta1, step))),
                               .root = (float)(1 / sqrt(1 - pow(adam->beta2, step))),
                               .epsilon = (float)adam->epsilon});
}

bool pix_network_make_average(PixNetwork *network, GError **error)
{
    if (!network->average)
        network->average = pix_params_new(network->model->graph, network->model->device,
                                          PIX_DTYPE_F32, true, error);
    return network->average != NULL;
}

gboolean pix_network_average(PixNetwork *network, double decay, GError **error)
{
    g_return_val_if_fail(network && decay >= 0 && decay < 1, FALSE);
    PixDevice *device = network->model->device;
    bool first = !network->average;
    if (!pix_network_make_average(network, error))
        return FALSE;
    PixRange average = pix_params_trained(network->average);
    PixRange weights = pix_params_trained(network->model->params);
    if (first)
        device->backend->fill(device, average, 0);
    device->backend->approach(device, average, weights, first ? 1 : (float)(1 - decay));
    return TRUE;
}
