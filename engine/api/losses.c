/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "figures.h"
#include "gan-loss.h"
#include "map.h"

static void run_loss(PixLossCall *call, const PixMap *x, double weight, PixMap *gradient,
                     gboolean add, PixFigures *figures, guint index)
{
    g_return_if_fail(index < figures->count);
    call->value = pix_figures_range(figures, index, 1);
    call->x = x->tensor;
    call->weight = (float)weight;
    call->dx_adds = add;
    if (gradient) {
        g_return_if_fail(pix_shape_equal(x->tensor.shape, gradient->tensor.shape));
        call->dx = gradient->tensor;
    }
    x->device->backend->loss(x->device, call);
}

void pix_loss_gan(PixGanMode mode, PixGanSide side, const PixMap *logits, double weight,
                  PixMap *gradient, gboolean add, PixFigures *figures, guint index)
{
    g_return_if_fail(logits && figures);
    PixLossCall call = {0};
    pix_gan_loss(mode, side, &call);
    run_loss(&call, logits, weight, gradient, add, figures, index);
}

static void run_distance(PixLossKind kind, const PixMap *x, const PixMap *target, double weight,
                         PixMap *gradient, gboolean add, PixFigures *figures, guint index)
{
    g_return_if_fail(x && target && figures);
    g_return_if_fail(pix_shape_equal(x->tensor.shape, target->tensor.shape));
    PixLossCall call = {.kind = kind, .target = target->tensor};
    run_loss(&call, x, weight, gradient, add, figures, index);
}

void pix_loss_l1(const PixMap *x, const PixMap *target, double weight, PixMap *gradient,
                 gboolean add, PixFigures *figures, guint index)
{
    run_distance(PIX_LOSS_L1, x, target, weight, gradient, add, figures, index);
}

void pix_loss_l2(const PixMap *x, const PixMap *target, double weight, PixMap *gradient,
                 gboolean add, PixFigures *figures, guint index)
{
    run_distance(PIX_LOSS_SQUARED, x, target, weight, gradient, add, figures, index);
}
