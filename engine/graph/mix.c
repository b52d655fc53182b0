/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mix.h"

#include <string.h>

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

void pix_graph_set_mix(PixGraph *graph, const PixPrecision *mix, bool optional)
{
    guint n = 0;
    for (guint i = 0; i < graph->nodes->len; i++) {
        PixNode *node = pix_graph_node(graph, (int)i);
        if (!is_convolution(node))
            continue;
        node->op.conv.precision = mix[n++];
        node->op.conv.precision_optional = optional;
    }
}

void pix_mix_whole(PixPrecision precision, PixPrecision *mix, guint n)
{
    for (guint i = 0; i < n; i++)
        mix[i] = precision;
    if (precision == PIX_PRECISION_INT8 && n > 0)
        mix[0] = mix[n - 1] = PIX_PRECISION_FP32;
}

static const PixPrecision choices[] = {PIX_PRECISION_FP32, PIX_PRECISION_BF16, PIX_PRECISION_INT8};

bool pix_mix_is_valid(const PixPrecision *mix, guint n)
{
    for (guint i = 0; i < n; i++) {
        bool known = false;
        for (size_t j = 0; j < G_N_ELEMENTS(choices); j++)
            known |= mix[i] == choices[j];
        if (!known)
            return false;
    }
    return true;
}

/* Returns: AUTO for what is no word of a mix. */
static PixPrecision parse_word(const char *word)
{
    for (size_t i = 0; i < G_N_ELEMENTS(choices); i++)
        if (strcmp(word, pix_precision_name(choices[i])) == 0)
            return choices[i];
    return PIX_PRECISION_AUTO;
}

bool pix_mix_parse(const char *text, PixPrecision *mix, guint n)
{
    g_auto(GStrv) words = g_strsplit(text, " ", (gint)n + 1);
    if (g_strv_length(words) != n)
        return false;
    for (guint i = 0; i < n; i++) {
        mix[i] = parse_word(words[i]);
        if (mix[i] == PIX_PRECISION_AUTO)
            return false;
    }
    return true;
}

char *pix_mix_print(const PixPrecision *mix, guint n)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < n; i++)
        g_string_append_printf(text, "%s%s", i ? " " : "", pix_precision_name(mix[i]));
    return g_string_free(text, FALSE);
}
