/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "params.h"

static PixDtype param_dtype(const PixParams *params, const PixParam *param)
{
    return param->slot == PIX_SLOT_WEIGHT ? params->weights : PIX_DTYPE_F32;
}

static size_t param_bytes(const PixParams *params, const PixParam *param)
{
    const PixDevice *device = params->device;
    PixShape vector = {1, param->dims[0], 1, 1};
    PixDtype dtype = param_dtype(params, param);
    size_t alignment = device->backend->alignment;
    size_t bytes = param->slot == PIX_SLOT_WEIGHT
                       ? device->backend->weight_bytes(device, &param->op, param->dims, dtype)
                       : device->backend->activation_bytes(device, vector, dtype);
    return (bytes + alignment - 1) / alignment * alignment;
}

static PixShape param_shape(const PixParam *param)
{
    return param->slot == PIX_SLOT_WEIGHT
               ? (PixShape){param->dims[0], param->dims[1], param->dims[2], param->dims[3]}
               : (PixShape){1, param->dims[0], 1, 1};
}

static bool is_weight(PixSlot slot)
{
    return slot == PIX_SLOT_WEIGHT;
}

static bool is_trained_vector(PixSlot slot)
{
    return !is_weight(slot) && pix_slot_is_trained(slot);
}

static bool is_running(PixSlot slot)
{
    return !pix_slot_is_trained(slot);
}

static void lay_out(PixParams *params, const PixGraph *graph, bool (*belongs)(PixSlot))
{
    for (guint i = 0; i < graph->params->len; i++) {
        const PixParam *param = pix_graph_param(graph, (int)i);
        if (!belongs(param->slot))
            continue;
        PixShape shape = param_shape(param);
        params->tensors[i] = (PixTensor){.shape = shape,
                                         .offset = params->bytes,
                                         .c_whole = shape.c,
                                         .dtype = param_dtype(params, param)};
        params->bytes += param_bytes(params, param);
    }
}

PixParams *pix_params_new(const PixGraph *graph, PixDevice *device, PixDtype weights,
                          bool trained_only, GError **error)
{
    PixParams *params = g_new0(PixParams, 1);
    params->device = pix_device_ref(device);
    params->weights = weights;
    params->tensors = g_new0(PixTensor, MAX(graph->params->len, 1));
    lay_out(params, graph, is_weight);
    lay_out(params, graph, is_trained_vector);
    params->trained_bytes = params->bytes;
    if (!trained_only)
        lay_out(params, graph, is_running);
    params->buffer = device->backend->buffer_new(device, params->bytes, error);
    if (!params->buffer) {
        pix_params_free(params);
        return NULL;
    }
    for (guint i = 0; i < graph->params->len; i++)
        if (!trained_only || pix_slot_is_trained(pix_graph_param(graph, (int)i)->slot))
            params->tensors[i].buffer = params->buffer;
    return params;
}

void pix_params_free(PixParams *params)
{
    if (!params)
        return;
    params->device->backend->buffer_free(params->device, params->buffer);
    pix_device_unref(params->device);
    g_free(params->tensors);
    g_free(params);
}

PixRange pix_params_trained(const PixParams *params)
{
    return (PixRange){params->buffer, 0, params->trained_bytes};
}

PixRange pix_params_range(const PixParams *params, const PixGraph *graph, int index)
{
    return (PixRange){params->buffer, params->tensors[index].offset,
                      param_bytes(params, pix_graph_param(graph, index))};
}

bool pix_params_write(PixParams *params, const PixGraph *graph, int index, const float *values,
                      GError **error)
{
    const PixParam *param = pix_graph_param(graph, index);
    const PixBackend *backend = params->device->backend;
    const PixTensor *tensor = &params->tensors[index];
    return param->slot == PIX_SLOT_WEIGHT
               ? backend->write_weight(params->device, tensor, &param->op, param->dims, values,
                                       error)
               : backend->write(params->device, tensor, values, error);
}

bool pix_params_settle(PixParams *params, GError **error)
{
    const PixBackend *backend = params->device->backend;
    return !backend->settle || backend->settle(params->device, params->buffer, error);
}

bool pix_params_read(const PixParams *params, const PixGraph *graph, int index, float *values,
                     GError **error)
{
    const PixParam *param = pix_graph_param(graph, index);
    const PixBackend *backend = params->device->backend;
    const PixTensor *tensor = &params->tensors[index];
    return param->slot == PIX_SLOT_WEIGHT ? backend->read_weight(params->device, tensor, &param->op,
                                                                 param->dims, values, error)
                                          : backend->read(params->device, tensor, values, error);
}

size_t pix_params_value_bytes(const PixParams *params, const PixGraph *graph)
{
    size_t bytes = 0;
    for (guint i = 0; i < graph->params->len; i++) {
        const PixParam *param = pix_graph_param(graph, (int)i);
        bytes += pix_param_count(param) * pix_dtype_bytes(param_dtype(params, param));
    }
    return bytes;
}

size_t pix_params_largest(const PixGraph *graph)
{
    size_t largest = 1;
    for (guint i = 0; i < graph->params->len; i++)
        largest = MAX(largest, pix_param_count(pix_graph_param(graph, (int)i)));
    return largest;
}
