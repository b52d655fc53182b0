/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "narrowed.h"

#include <math.h>

#include "dtype.h"

PixOp narrowed_op(const PixOp *op, PixPrecision precision)
{
    PixOp narrowed = *op;
    if (op->kind == PIX_OP_CONV || op->kind == PIX_OP_DECONV)
        narrowed.conv.precision = precision;
    return narrowed;
}

static void round_to_bf16(double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float value = (float)values[i];
        guint16 stored;
        pix_dtype_from_floats(PIX_DTYPE_BF16, &value, &stored, 1);
        pix_dtype_to_floats(PIX_DTYPE_BF16, &stored, &value, 1);
        values[i] = (double)value;
    }
}

/* Values @first + i * @step + j for i < @runs and j < @run share a scale. */
static void round_to_int8(double *values, size_t first, size_t runs, size_t step, size_t run)
{
    float largest = 0;
    for (size_t i = 0; i < runs; i++)
        for (size_t j = 0; j < run; j++)
            largest = fmaxf(largest, fabsf((float)values[first + i * step + j]));
    for (size_t i = 0; i < runs && largest > 0; i++)
        for (size_t j = 0; j < run; j++) {
            double *value = &values[first + i * step + j];
            *value = rint(*value * (double)(127 / largest)) * (double)(largest / 127);
        }
}

static void rectify(double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = MAX(values[i], 0);
}

static void narrow_weights(const PixCall *call, double *weights)
{
    const PixOp *op = call->op;
    size_t c = (size_t)call->in[0].shape.c, oc = (size_t)op->conv.oc;
    size_t taps = (size_t)(op->conv.kh * op->conv.kw);
    for (size_t i = 0; i < oc; i++) {
        if (op->kind == PIX_OP_CONV)
            round_to_int8(weights, i * c * taps, 1, 0, c * taps);
        else
            round_to_int8(weights, i * taps, c, oc * taps, taps);
    }
}

void narrow_reference(const PixCall *call, PixPrecision precision, const RefCall *ref)
{
    PixShape in = call->in[0].shape;
    size_t sample = (size_t)in.c * (size_t)in.h * (size_t)in.w, all = sample * (size_t)in.n;
    size_t n_weights =
        (size_t)in.c * (size_t)call->op->conv.oc * (size_t)(call->op->conv.kh * call->op->conv.kw);
    double *x = (double *)ref->x[0], *weights = (double *)ref->param[PIX_SLOT_WEIGHT];
    if (precision == PIX_PRECISION_BF16) {
        round_to_bf16(x, all);
        round_to_bf16(weights, n_weights);
    } else if (precision == PIX_PRECISION_INT8) {
        if (call->op->conv.rectifies)
            rectify(x, all);
        for (int i = 0; i < in.n; i++)
            round_to_int8(x, (size_t)i * sample, 1, 0, sample);
        narrow_weights(call, weights);
    }
}
