/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The builders behind pix_arch_build(), one file each. Layer names are those of the published
 * PyTorch code, so that parameters carry the names of people's checkpoints.
 */
#ifndef PIX_NETWORKS_H
#define PIX_NETWORKS_H

#include "arch.h"

void pix_unet_build(const PixArch *arch, PixGraph *graph);
void pix_resnet_build(const PixArch *arch, PixGraph *graph);
void pix_cryer_unet_build(const PixArch *arch, PixGraph *graph);
void pix_patchgan_build(const PixArch *arch, PixGraph *graph);
void pix_pixelgan_build(const PixArch *arch, PixGraph *graph);
void pix_cryer_patchgan_build(const PixArch *arch, PixGraph *graph);

/** pix_square_conv: A square kernel with the same stride and zero padding on both axes. */
static inline PixConvOp pix_square_conv(int oc, int kernel, int stride, int pad)
{
    return (PixConvOp){.oc = oc,
                       .kh = kernel,
                       .kw = kernel,
                       .sh = stride,
                       .sw = stride,
                       .pad = {PIX_PAD_ZERO, pad, pad, pad, pad}};
}

#endif
