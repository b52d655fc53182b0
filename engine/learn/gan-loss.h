/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What a GAN's two sides want of the discriminator's logits, as losses that a backend knows.
 */
#ifndef PIX_GAN_LOSS_H
#define PIX_GAN_LOSS_H

#include <pix2pix/pix-train.h>

#include "backend.h"

/**
 * pix_gan_loss: Sets kind and label of @call.
 * Source: GANLoss of junyanz/pytorch-CycleGAN-and-pix2pix (vanilla, lsgan, wgangp); hinge: Lim and Ye
 * 2017, where the generator's side is linear.
 */
void pix_gan_loss(PixGanMode mode, PixGanSide side, PixLossCall *call);

#endif
