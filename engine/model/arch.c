/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "arch.h"

#include <stdio.h>
#include <string.h>

#include "error.h"
#include "networks.h"

/* One row for each kind of network. */
static const struct {
    void (*build)(const PixArch *arch, PixGraph *graph);
    const char *what; /* for messages */
    int min_depth, max_depth;
    bool generator;
} kinds[PIX_ARCH_COUNT] = {
    [PIX_ARCH_UNET] = {pix_unet_build, "U-Net", 2, 16, true},
    [PIX_ARCH_RESNET] = {pix_resnet_build, "ResNet", 0, 256, true},
    [PIX_ARCH_CRYER_UNET] = {pix_cryer_unet_build, "cryer U-Net", 0, 0, true},
    [PIX_ARCH_PATCHGAN] = {pix_patchgan_build, "PatchGAN", 1, 16, false},
    [PIX_ARCH_PIXELGAN] = {pix_pixelgan_build, "PixelGAN", 0, 0, false},
    [PIX_ARCH_CRYER_PATCHGAN] = {pix_cryer_patchgan_build, "cryer PatchGAN", 0, 0, false},
};

void pix_arch_init(PixArch *arch, PixArchKind kind)
{
    *arch = (PixArch){
        .kind = kind,
        .in_channels = 3,
        .out_channels = kinds[kind].generator ? 3 : 1,
        .filters = 64,
        .depth = kind == PIX_ARCH_UNET       ? 8
                 : kind == PIX_ARCH_RESNET   ? 9
                 : kind == PIX_ARCH_PATCHGAN ? 3
                                             : 0,
        .norm = PIX_NORM_BATCH,
        .affine = true,
        .running = true,
        .skips = true,
        .dropout = kind == PIX_ARCH_UNET,
        .pad = kind == PIX_ARCH_RESNET ? PIX_PAD_REFLECT : PIX_PAD_ZERO,
    };
}

static bool check_range(const PixArch *arch, const char *setting, int value, int low, int high,
                        GError **error)
{
    if (value >= low && value <= high)
        return true;
    return pix_fail(error, PIX_ERROR_UNSUPPORTED, "a %s with %s %d; it can be %d to %d",
                    kinds[arch->kind].what, setting, value, low, high);
}

bool pix_arch_check(const PixArch *arch, GError **error)
{
    return check_range(arch, "input channels", arch->in_channels, 1, 4096, error) &&
           check_range(arch, "output channels", arch->out_channels, 1, 4096, error) &&
           check_range(arch, "filters", arch->filters, 1, 4096, error) &&
           check_range(arch, "depth", arch->depth, kinds[arch->kind].min_depth,
                       kinds[arch->kind].max_depth, error);
}

PixGraph *pix_arch_build(const PixArch *arch)
{
    PixGraph *graph = pix_graph_new(arch->in_channels);
    kinds[arch->kind].build(arch, graph);
    return graph;
}

char *pix_arch_name(const PixArch *arch)
{
    switch (arch->kind) {
    case PIX_ARCH_UNET:
        return g_strdup_printf("%s_%d", arch->skips ? "unet" : "encoder_decoder", 1 << arch->depth);
    case PIX_ARCH_RESNET:
        return g_strdup_printf("resnet_%dblocks", arch->depth);
    case PIX_ARCH_CRYER_UNET:
        return g_strdup("cryer_unet_256");
    case PIX_ARCH_PATCHGAN:
        return g_strdup_printf("patchgan_%d", arch->depth);
    case PIX_ARCH_PIXELGAN:
        return g_strdup("pixelgan");
    case PIX_ARCH_CRYER_PATCHGAN:
        return g_strdup("cryer_patchgan");
    default:
        return g_strdup("unknown");
    }
}

static int log2_of(int side)
{
    int depth = 0;
    while (depth < 30 && 1 << depth < side)
        depth++;
    return 1 << depth == side ? depth : -1;
}

bool pix_arch_parse(const char *name, PixArch *arch, GError **error)
{
    int number = 0, end = 0;
    PixArchKind kind = PIX_ARCH_COUNT;
    bool skips = !g_str_has_prefix(name, "encoder");
    if (sscanf(name, skips ? "unet_%5d%n" : "encoder_decoder_%5d%n", &number, &end) == 1 &&
        !name[end]) {
        kind = PIX_ARCH_UNET;
        number = log2_of(number);
    } else if (sscanf(name, "resnet_%4dblocks%n", &number, &end) == 1 && end && !name[end]) {
        kind = PIX_ARCH_RESNET;
    } else if (sscanf(name, "patchgan_%4d%n", &number, &end) == 1 && !name[end]) {
        kind = PIX_ARCH_PATCHGAN;
    } else if (strcmp(name, "pixelgan") == 0) {
        kind = PIX_ARCH_PIXELGAN;
    }
    if (kind == PIX_ARCH_COUNT || number < kinds[kind].min_depth || number > kinds[kind].max_depth)
        return pix_fail(error, PIX_ERROR_UNSUPPORTED,
                        "no network is called \"%s\"; there are unet_256 and encoder_decoder_256 "
                        "(any power of two from 4 to 65536), resnet_9blocks (0 to 256), patchgan_3 "
                        "(1 to 16), pixelgan",
                        name);
    pix_arch_init(arch, kind);
    arch->depth = number;
    arch->skips = skips;
    return true;
}

void pix_arch_set_norm(PixArch *arch, PixNormKind norm)
{
    arch->norm = norm;
    arch->affine = arch->running = norm == PIX_NORM_BATCH;
    arch->bias = norm == PIX_NORM_INSTANCE;
}

bool pix_arch_is_generator(const PixArch *arch)
{
    return kinds[arch->kind].generator;
}

int pix_arch_multiple(const PixArch *arch)
{
    return arch->kind == PIX_ARCH_UNET         ? 1 << arch->depth
           : arch->kind == PIX_ARCH_CRYER_UNET ? 256
           : arch->kind == PIX_ARCH_RESNET     ? 4
                                               : 1;
}

int pix_arch_minimum(const PixArch *arch)
{
    /* ResNet: the blocks' maps, a quarter of the input, are mirrored by one pixel. */
    return arch->kind == PIX_ARCH_RESNET ? 8 : pix_arch_multiple(arch);
}

int pix_arch_side(const PixArch *arch)
{
    /* Published U-Nets are trained at the size that their bottleneck brings down to one pixel. */
    return arch->kind == PIX_ARCH_UNET && arch->depth >= 5 ? 1 << arch->depth : 256;
}
