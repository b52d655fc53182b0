/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model-info.h"

static void count_values(const PixGraph *graph, guint64 *trained, guint64 *all)
{
    for (guint i = 0; i < graph->params->len; i++) {
        const PixParam *param = pix_graph_param(graph, (int)i);
        *all += pix_param_count(param);
        if (pix_slot_is_trained(param->slot))
            *trained += pix_param_count(param);
    }
}

bool pix_model_has_dropout(const PixGraph *graph)
{
    for (guint i = 0; i < graph->nodes->len; i++)
        if (pix_graph_node(graph, (int)i)->op.kind == PIX_OP_DROPOUT)
            return true;
    return false;
}

void pix_model_info_init(PixModelInfo *info, const PixArch *arch, const PixGraph *graph,
                         const PixSettings *settings, const char *architecture)
{
    guint64 trained = 0, all = 0;
    count_values(graph, &trained, &all);
    *info = (PixModelInfo){
        .architecture = architecture,
        .norm = pix_norm_names[arch->norm],
        .is_generator = pix_arch_is_generator(arch),
        .in_channels = arch->in_channels,
        .out_channels = arch->out_channels,
        .width = settings->width,
        .height = settings->height,
        .multiple = pix_arch_multiple(arch),
        .minimum = pix_arch_minimum(arch),
        .has_dropout = pix_model_has_dropout(graph),
        .has_running_statistics = arch->running && arch->norm == PIX_NORM_BATCH,
        .statistics = settings->statistics,
        .precision = settings->precision,
        .parameters = trained,
        .weight_bytes = all * sizeof(float),
    };
}
