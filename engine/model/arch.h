/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The networks that we know: a handful of settings that say everything about one but its weights.
 */
#ifndef PIX_ARCH_H
#define PIX_ARCH_H

#include "graph.h"

typedef enum {
    PIX_ARCH_UNET,           /* pix2pix generator (unet.c) */
    PIX_ARCH_RESNET,         /* CycleGAN generator (resnet.c) */
    PIX_ARCH_CRYER_UNET,     /* the generator of cryer/pix2pix (cryer.c) */
    PIX_ARCH_PATCHGAN,       /* discriminator (patchgan.c) */
    PIX_ARCH_PIXELGAN,       /* 1x1 discriminator (patchgan.c) */
    PIX_ARCH_CRYER_PATCHGAN, /* the discriminator of cryer/pix2pix (cryer.c) */
    PIX_ARCH_COUNT
} PixArchKind;

typedef struct {
    PixArchKind kind;
    int in_channels, out_channels;
    int filters; /* of the first layer: ngf or ndf */
    int depth;   /* UNET: downs; RESNET: residual blocks; PATCHGAN: layers; else 0 */
    PixNormKind norm;
    bool affine;     /* the norms have gamma and beta (batch norm does, instance norm does not) */
    bool running;    /* and running statistics */
    bool bias;       /* convolutions that a norm follows have a bias */
    bool skips;      /* UNET: false is the paper's encoder-decoder */
    bool inner_norm; /* UNET: the bottleneck is normalised too (affinelayer) */
    bool dropout;    /* generators; PIXELGAN, PATCHGAN have none */
    PixPadMode pad;  /* RESNET: of its residual blocks */
} PixArch;

/** pix_arch_init: As published: norm batch, running, no bias before norms, skips, dropout. */
void pix_arch_init(PixArch *arch, PixArchKind kind);

/** pix_arch_check: Whether all settings are in range. Errors: UNSUPPORTED, naming the setting. */
bool pix_arch_check(const PixArch *arch, GError **error);

/**
 * pix_arch_build:
 * Returns: (transfer full): the network: nodes and parameters under the published PyTorch names, in
 * the published order.
 */
PixGraph *pix_arch_build(const PixArch *arch);

/** pix_arch_name: Returns: (transfer full): "unet_256", "resnet_9blocks", "patchgan_3", ... */
char *pix_arch_name(const PixArch *arch);

/**
 * pix_arch_parse:
 * The other way: as pix_arch_init(), with the kind and depth that @name says.
 * Errors: UNSUPPORTED, listing the names.
 */
bool pix_arch_parse(const char *name, PixArch *arch, GError **error);

/**
 * pix_arch_set_norm:
 * The norm and what goes with it as published: batch norm has gamma, beta and running statistics and
 * makes the bias before it needless; instance norm has none of these.
 */
void pix_arch_set_norm(PixArch *arch, PixNormKind norm);

bool pix_arch_is_generator(const PixArch *arch);

/** pix_arch_multiple: Sides of the input must be multiples of this. */
int pix_arch_multiple(const PixArch *arch);
/** pix_arch_minimum: Sides must be at least this. */
int pix_arch_minimum(const PixArch *arch);
/** pix_arch_side: The side of the square images that it is made for. */
int pix_arch_side(const PixArch *arch);

#endif
