/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ref-learn.h"

#include <math.h>

static double value_of(PixLossKind kind, double x, double target)
{
    double sigmoid = 1 / (1 + exp(-x));
    switch (kind) {
    case PIX_LOSS_L1:
        return fabs(x - target);
    case PIX_LOSS_SQUARED:
        return (x - target) * (x - target);
    case PIX_LOSS_BCE: /* as defined; only for logits whose probabilities are neither 0 nor 1 */
        return -target * log(sigmoid) - (1 - target) * log(1 - sigmoid);
    case PIX_LOSS_HINGE:
        return 1 - target * x < 0 ? 0 : 1 - target * x; /* NaN stays */
    case PIX_LOSS_LINEAR:
        return target * x;
    }
    g_assert_not_reached();
}

static double slope_of(PixLossKind kind, double x, double target)
{
    switch (kind) {
    case PIX_LOSS_L1:
        return x > target ? 1 : x < target ? -1 : 0;
    case PIX_LOSS_SQUARED:
        return 2 * (x - target);
    case PIX_LOSS_BCE:
        return 1 / (1 + exp(-x)) - target;
    case PIX_LOSS_HINGE:
        return 1 - target * x > 0 ? -target : 0;
    case PIX_LOSS_LINEAR:
        return target;
    }
    g_assert_not_reached();
}

double ref_loss(PixLossKind kind, const double *x, const double *target, size_t count,
                double weight, double *dx)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += value_of(kind, x[i], target[i]);
        if (dx)
            dx[i] = weight * slope_of(kind, x[i], target[i]) / (double)count;
    }
    return sum / (double)count;
}

void ref_adam(const RefAdam *adam, int t, size_t count, const double *gradients, double *weights,
              double *m, double *v)
{
    for (size_t i = 0; i < count; i++) {
        m[i] = adam->beta1 * m[i] + (1 - adam->beta1) * gradients[i];
        v[i] = adam->beta2 * v[i] + (1 - adam->beta2) * gradients[i] * gradients[i];
        double m_hat = m[i] / (1 - pow(adam->beta1, t)), v_hat = v[i] / (1 - pow(adam->beta2, t));
        weights[i] -= adam->lr * m_hat / (sqrt(v_hat) + adam->eps);
    }
}
