/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gan-loss.h"

void pix_gan_loss(PixGanMode mode, PixGanSide side, PixLossCall *call)
{
    bool accept = side != PIX_GAN_FAKE;
    switch (mode) {
    case PIX_GAN_VANILLA:
        call->kind = PIX_LOSS_BCE;
        call->label = accept ? 1 : 0;
        break;
    case PIX_GAN_LSGAN:
        call->kind = PIX_LOSS_SQUARED;
        call->label = accept ? 1 : 0;
        break;
    case PIX_GAN_HINGE:
        call->kind = side == PIX_GAN_GENERATOR ? PIX_LOSS_LINEAR : PIX_LOSS_HINGE;
        /* HINGE wants label * x above 1; LINEAR wants it small. */
        call->label = side == PIX_GAN_REAL ? 1 : -1;
        break;
    case PIX_GAN_WGANGP:
        call->kind = PIX_LOSS_LINEAR;
        call->label = accept ? -1 : 1;
        break;
    }
}
