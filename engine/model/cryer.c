/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The networks of cryer/pix2pix. Unlike the published U-Net, a decoder level joins its own output
 * first and then the skip, the skip has been through LeakyReLU and meets no other activation, and
 * the last layer is an upsampling with a convolution.
 * Source: https://github.com/cryer/pix2pix, its models.
 */
#include "networks.h"

#define DOWNS 8
#define SLOPE 0.2f
#define DROPOUT_RATE 0.5f
#define DROPOUT_LEVELS 4 /* the first ones of the decoder */

static int filters(const PixArch *arch, int level)
{
    return arch->filters * MIN(1 << level, 8);
}

static int add_down(const PixArch *arch, PixGraph *graph, int x, int level)
{
    g_autofree char *name = g_strdup_printf("downsample%d.model.0", level + 1);
    int c = level == 0 ? arch->in_channels : filters(arch, level - 1), oc = filters(arch, level);
    x = pix_graph_conv(graph, x, name, c, pix_square_conv(oc, 4, 2, 1), false);
    if (level > 0 && level < DOWNS - 1)
        x = pix_graph_norm(graph, x, name, oc, arch->norm, arch->affine, arch->running);
    return pix_graph_activation(graph, x, PIX_ACTIVATION_LEAKY_RELU, SLOPE);
}

/* @up: 0 for the innermost. */
static int add_up(const PixArch *arch, PixGraph *graph, int x, int up)
{
    g_autofree char *name = g_strdup_printf("upsample%d.model.0", up + 1);
    int level = DOWNS - 2 - up, oc = filters(arch, level);
    int c = filters(arch, level + 1) * (up == 0 ? 1 : 2);
    x = pix_graph_deconv(graph, x, name, c, pix_square_conv(oc, 4, 2, 1), false);
    x = pix_graph_norm(graph, x, name, oc, arch->norm, arch->affine, arch->running);
    x = pix_graph_activation(graph, x, PIX_ACTIVATION_RELU, 0);
    return arch->dropout && up < DROPOUT_LEVELS ? pix_graph_dropout(graph, x, DROPOUT_RATE) : x;
}

/* ZeroPad2d((1, 0, 1, 0)) and then a 4x4 convolution that pads by 1: the map keeps its size. */
static int add_last(PixGraph *graph, int x, const char *name, int c, int oc, bool bias)
{
    x = pix_graph_pad(graph, x, (PixPadding){PIX_PAD_ZERO, 1, 1, 0, 0});
    return pix_graph_conv(graph, x, name, c, pix_square_conv(oc, 4, 1, 1), bias);
}

void pix_cryer_unet_build(const PixArch *arch, PixGraph *graph)
{
    int skips[DOWNS], x = 0;
    for (int level = 0; level < DOWNS; level++)
        x = skips[level] = add_down(arch, graph, x, level);
    for (int up = 0; up < DOWNS - 1; up++)
        x = pix_graph_concat(graph, add_up(arch, graph, x, up), skips[DOWNS - 2 - up]);
    x = pix_graph_upsample(graph, x, 2);
    x = add_last(graph, x, "final.2", 2 * filters(arch, 0), arch->out_channels, true);
    pix_graph_activation(graph, x, PIX_ACTIVATION_TANH, 0);
}

void pix_cryer_patchgan_build(const PixArch *arch, PixGraph *graph)
{
    int c = arch->in_channels, x = 0;
    for (int layer = 0; layer < 4; layer++) {
        g_autofree char *name = g_strdup_printf("model.%d", MAX(3 * layer - 1, 0));
        int oc = filters(arch, layer);
        x = pix_graph_conv(graph, x, name, c, pix_square_conv(oc, 4, 2, 1), true);
        if (layer > 0)
            x = pix_graph_norm(graph, x, name, oc, arch->norm, arch->affine, arch->running);
        x = pix_graph_activation(graph, x, PIX_ACTIVATION_LEAKY_RELU, SLOPE);
        c = oc;
    }
    add_last(graph, x, "model.12", c, arch->out_channels, false);
}
