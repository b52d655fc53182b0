/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The U-Net generator, and the encoder-decoder that it becomes without skips.
 * Source: Isola et al. 2017, appendix 6.1.1; UnetGenerator of junyanz/pytorch-CycleGAN-and-pix2pix.
 *
 * Level k halves the map on the way down and doubles it on the way up. Its blocks are nested, so
 * that its layers are called model.model.1.model.3.model. ...: the outermost block holds level 1 at
 * index 1, every other block holds the next one at index 3.
 */
#include "networks.h"

#define SLOPE 0.2f
#define DROPOUT_RATE 0.5f

typedef struct {
    const PixArch *arch;
    PixGraph *graph;
} Unet;

static int filters(const Unet *net, int level)
{
    return net->arch->filters * MIN(1 << level, 8);
}

static int add_norm(const Unet *net, int x, const char *block, int index, int c)
{
    g_autofree char *name = g_strdup_printf("%s.%d", block, index);
    const PixArch *arch = net->arch;
    return pix_graph_norm(net->graph, x, name, c, arch->norm, arch->affine, arch->running);
}

static int add_down(const Unet *net, int x, const char *block, int index, int c, int oc, bool bias)
{
    g_autofree char *name = g_strdup_printf("%s.%d", block, index);
    return pix_graph_conv(net->graph, x, name, c, pix_square_conv(oc, 4, 2, 1), bias);
}

static int add_up(const Unet *net, int x, const char *block, int index, int c, int oc, bool bias)
{
    g_autofree char *name = g_strdup_printf("%s.%d", block, index);
    x = pix_graph_activation(net->graph, x, PIX_ACTIVATION_RELU, 0);
    return pix_graph_deconv(net->graph, x, name, c, pix_square_conv(oc, 4, 2, 1), bias);
}

/*
 * With skips, the levels of full width but the innermost one, as published in code; without, the
 * first three of the decoder, as in the paper's text.
 */
static bool has_dropout(const PixArch *arch, int level)
{
    int innermost = arch->depth - 1;
    if (!arch->dropout)
        return false;
    return arch->skips ? level >= 4 && level < innermost : level > innermost - 3 && level > 0;
}

/*
 * @x: the output of the level above, activated. The skip is taken after LeakyReLU, as the published
 * code does by working in place; relu(leaky_relu(x)) = relu(x), so that the decoder sees the same.
 */
static int add_level(const Unet *net, int x, const char *block, int level)
{
    const PixArch *arch = net->arch;
    bool innermost = level == arch->depth - 1, skips = arch->skips;
    int c = filters(net, level - 1), oc = filters(net, level);
    int index = 1, up_c = oc;
    int y = add_down(net, x, block, index++, c, oc, arch->bias);
    if (!innermost || arch->inner_norm)
        y = add_norm(net, y, block, index++, oc);
    if (!innermost) {
        g_autofree char *inner = g_strdup_printf("%s.%d.model", block, index++);
        y = pix_graph_activation(net->graph, y, PIX_ACTIVATION_LEAKY_RELU, SLOPE);
        y = add_level(net, y, inner, level + 1);
        up_c = skips ? 2 * oc : oc;
    }
    index++; /* the ReLU */
    y = add_up(net, y, block, index++, up_c, c, arch->bias);
    y = add_norm(net, y, block, index++, c);
    if (has_dropout(arch, level))
        y = pix_graph_dropout(net->graph, y, DROPOUT_RATE);
    return skips ? pix_graph_concat(net->graph, x, y) : y;
}

void pix_unet_build(const PixArch *arch, PixGraph *graph)
{
    Unet net = {arch, graph};
    int c = filters(&net, 0);
    int x = add_down(&net, 0, "model.model", 0, arch->in_channels, c, arch->bias);
    x = pix_graph_activation(graph, x, PIX_ACTIVATION_LEAKY_RELU, SLOPE);
    x = add_level(&net, x, "model.model.1.model", 1);
    x = add_up(&net, x, "model.model", 3, arch->skips ? 2 * c : c, arch->out_channels, true);
    pix_graph_activation(graph, x, PIX_ACTIVATION_TANH, 0);
}
