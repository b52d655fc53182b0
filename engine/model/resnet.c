/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The ResNet generator.
 * Source: Zhu et al. 2017, appendix 7.2 (after Johnson et al. 2016); ResnetGenerator of
 * junyanz/pytorch-CycleGAN-and-pix2pix, whose flat list of modules numbers the layers.
 */
#include "networks.h"

#define SAMPLINGS 2 /* down, and up again */
#define DROPOUT_RATE 0.5f

typedef struct {
    const PixArch *arch;
    PixGraph *graph;
} Resnet;

static int add_norm(const Resnet *net, int x, const char *prefix, int index, int c)
{
    g_autofree char *name = g_strdup_printf("%s.%d", prefix, index);
    const PixArch *arch = net->arch;
    return pix_graph_norm(net->graph, x, name, c, arch->norm, arch->affine, arch->running);
}

static int add_relu(const Resnet *net, int x)
{
    return pix_graph_activation(net->graph, x, PIX_ACTIVATION_RELU, 0);
}

/* The first and the last layer: 7x7 on a mirrored border, whatever the blocks use. */
static int add_wide_conv(const Resnet *net, int x, int index, int c, int oc, bool bias)
{
    g_autofree char *name = g_strdup_printf("model.%d", index);
    x = pix_graph_pad(net->graph, x, (PixPadding){PIX_PAD_REFLECT, 3, 3, 3, 3});
    return pix_graph_conv(net->graph, x, name, c, pix_square_conv(oc, 7, 1, 0), bias);
}

/* One 3x3 convolution of a block; @index: of its padding module, moved past the norm. */
static int add_block_conv(const Resnet *net, int x, const char *block, int *index, int c)
{
    PixConvOp conv = pix_square_conv(c, 3, 1, net->arch->pad == PIX_PAD_ZERO);
    if (net->arch->pad != PIX_PAD_ZERO) {
        x = pix_graph_pad(net->graph, x, (PixPadding){net->arch->pad, 1, 1, 1, 1});
        ++*index;
    }
    g_autofree char *name = g_strdup_printf("%s.%d", block, (*index)++);
    x = pix_graph_conv(net->graph, x, name, c, conv, net->arch->bias);
    return add_norm(net, x, block, (*index)++, c);
}

static int add_block(const Resnet *net, int x, int module, int c)
{
    g_autofree char *block = g_strdup_printf("model.%d.conv_block", module);
    int index = 0;
    int y = add_relu(net, add_block_conv(net, x, block, &index, c));
    index++;
    if (net->arch->dropout) {
        y = pix_graph_dropout(net->graph, y, DROPOUT_RATE);
        index++;
    }
    y = add_block_conv(net, y, block, &index, c);
    return pix_graph_add(net->graph, x, y);
}

/* Halves or doubles the map; three modules: convolution, norm, ReLU. */
static int add_sampling(const Resnet *net, int x, int module, int c, int oc)
{
    g_autofree char *name = g_strdup_printf("model.%d", module);
    PixConvOp conv = pix_square_conv(oc, 3, 2, 1);
    if (oc > c) {
        x = pix_graph_conv(net->graph, x, name, c, conv, net->arch->bias);
    } else {
        conv.output_pad_h = conv.output_pad_w = 1;
        x = pix_graph_deconv(net->graph, x, name, c, conv, net->arch->bias);
    }
    return add_relu(net, add_norm(net, x, "model", module + 1, oc));
}

void pix_resnet_build(const PixArch *arch, PixGraph *graph)
{
    Resnet net = {arch, graph};
    int c = arch->filters, module = 1;
    int x = add_wide_conv(&net, 0, module, arch->in_channels, c, arch->bias);
    x = add_relu(&net, add_norm(&net, x, "model", module + 1, c));
    module += 3;
    for (int i = 0; i < SAMPLINGS; i++, c *= 2, module += 3)
        x = add_sampling(&net, x, module, c, 2 * c);
    for (int i = 0; i < arch->depth; i++)
        x = add_block(&net, x, module++, c);
    for (int i = 0; i < SAMPLINGS; i++, c /= 2, module += 3)
        x = add_sampling(&net, x, module, c, c / 2);
    x = add_wide_conv(&net, x, module + 1, c, arch->out_channels, true);
    pix_graph_activation(graph, x, PIX_ACTIVATION_TANH, 0);
}
