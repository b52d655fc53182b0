/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The discriminators: PatchGAN (70x70 pixels with three layers) and the 1x1 PixelGAN. Both give a
 * map of logits.
 * Source: Isola et al. 2017, section 3.2.2 and appendix 6.1.2; NLayerDiscriminator and
 * PixelDiscriminator of junyanz/pytorch-CycleGAN-and-pix2pix.
 */
#include "networks.h"

#define SLOPE 0.2f

static int add_conv(PixGraph *graph, int x, const char *prefix, int index, int c, PixConvOp conv,
                    bool bias)
{
    g_autofree char *name = g_strdup_printf("%s.%d", prefix, index);
    return pix_graph_conv(graph, x, name, c, conv, bias);
}

static int add_norm(const PixArch *arch, PixGraph *graph, int x, const char *prefix, int index,
                    int c)
{
    g_autofree char *name = g_strdup_printf("%s.%d", prefix, index);
    x = pix_graph_norm(graph, x, name, c, arch->norm, arch->affine, arch->running);
    return pix_graph_activation(graph, x, PIX_ACTIVATION_LEAKY_RELU, SLOPE);
}

void pix_patchgan_build(const PixArch *arch, PixGraph *graph)
{
    int c = arch->filters, index = 2;
    int x = add_conv(graph, 0, "model", 0, arch->in_channels, pix_square_conv(c, 4, 2, 1), true);
    x = pix_graph_activation(graph, x, PIX_ACTIVATION_LEAKY_RELU, SLOPE);
    for (int layer = 1; layer <= arch->depth; layer++, index += 3) {
        int oc = arch->filters * MIN(1 << layer, 8), stride = layer < arch->depth ? 2 : 1;
        x = add_conv(graph, x, "model", index, c, pix_square_conv(oc, 4, stride, 1), arch->bias);
        x = add_norm(arch, graph, x, "model", index + 1, oc);
        c = oc;
    }
    add_conv(graph, x, "model", index, c, pix_square_conv(arch->out_channels, 4, 1, 1), true);
}

void pix_pixelgan_build(const PixArch *arch, PixGraph *graph)
{
    int c = arch->filters;
    int x = add_conv(graph, 0, "net", 0, arch->in_channels, pix_square_conv(c, 1, 1, 0), true);
    x = pix_graph_activation(graph, x, PIX_ACTIVATION_LEAKY_RELU, SLOPE);
    x = add_conv(graph, x, "net", 2, c, pix_square_conv(2 * c, 1, 1, 0), arch->bias);
    x = add_norm(arch, graph, x, "net", 3, 2 * c);
    add_conv(graph, x, "net", 5, 2 * c, pix_square_conv(arch->out_channels, 1, 1, 0), arch->bias);
}
