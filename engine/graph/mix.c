/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mix.h"

static bool is_convolution(const PixNode *node)
{
    return node->op.kind == PIX_OP_CONV || node->op.kind == PIX_OP_DECONV;
}

guint pix_graph_convolutions(const PixGraph *graph)
{
    guint n = 0;
    for (guint i = 0; i < graph->nodes->len; i++)
        n += is_convolution(pix_graph_node(graph, (int)i));
    return n;
}

void pix_graph_set_mix(PixGraph *graph, const PixPrecision *mix)
{
    guint n = 0;
    for (guint i = 0; i < graph->nodes->len; i++) {
        PixNode *node = pix_graph_node(graph, (int)i);
        if (is_convolution(node))
            node->op.conv.precision = mix[n++];
    }
}

void pix_mix_whole(PixPrecision precision, PixPrecision *mix, guint n)
{
    for (guint i = 0; i < n; i++)
        mix[i] = precision;
    if (precision == PIX_PRECISION_INT8 && n > 0)
        mix[0] = mix[n - 1] = PIX_PRECISION_FP32;
}
