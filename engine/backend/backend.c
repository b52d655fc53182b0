/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend.h"

#include "error.h"
#include "self-check.h"

bool pix_backend_supports(const PixDevice *device, PixOpKind op, bool training)
{
    const PixRow *row = &device->backend->rows[op];
    return op == PIX_OP_INPUT || (row->forward && (!training || row->backward));
}

/* ---- precision ---- */

static bool has_format(const PixDevice *device, PixPrecision precision, PixFormat *format)
{
    *format = (PixFormat){0};
    if (precision == PIX_PRECISION_FP32)
        return true;
    return device->backend->format && device->backend->format(device, precision, format);
}

static char *list_precisions(const PixDevice *device)
{
    PixFormat format;
    GString *list = g_string_new(NULL);
    for (PixPrecision p = PIX_PRECISION_FP32; p <= PIX_PRECISION_INT8; p++)
        if (has_format(device, p, &format))
            g_string_append_printf(list, "%s%s", list->len ? ", " : "", pix_precision_name(p));
    return g_string_free(list, FALSE);
}

/* FP32 has been checked. */
static bool prepare(PixDevice *device, PixPrecision precision, GError **error)
{
    bool checks = device->backend->identity && precision != PIX_PRECISION_FP32;
    if (checks && !pix_self_check(device, precision, error))
        return false;
    if (device->backend->tune)
        device->backend->tune(device, precision);
    return true;
}

bool pix_backend_format(PixDevice *device, PixPrecision *precision, PixFormat *format,
                        GError **error)
{
    if (*precision == PIX_PRECISION_AUTO)
        *precision = PIX_PRECISION_FP32;
    if (has_format(device, *precision, format))
        return prepare(device, *precision, error);
    g_autofree char *list = list_precisions(device);
    return pix_fail(error, PIX_ERROR_UNSUPPORTED,
                    "%s (%s) does not compute in %s; precision can be one of auto, %s",
                    device->info.name, device->info.id, pix_precision_name(*precision), list);
}

/* ---- calls ---- */

static void check_call(const PixDevice *device, const PixCall *call)
{
    PixShape in[PIX_MAX_INPUTS] = {{0}}, out;
    for (int i = 0; i < pix_op_n_inputs(call->op->kind); i++) {
        g_assert(call->in[i].buffer);
        g_assert(call->in[i].c_first + call->in[i].shape.c <= call->in[i].c_whole);
        in[i] = call->in[i].shape;
    }
    g_assert(pix_op_infer(call->op, in, &out, NULL));
    g_assert(call->out.buffer && pix_shape_equal(out, call->out.shape));
    g_assert(device->backend->rows[call->op->kind].forward);
}

void pix_backend_forward(PixDevice *device, const PixCall *call)
{
    check_call(device, call);
    device->backend->rows[call->op->kind].forward(device, call);
}

static void check_gradient(PixTensor gradient, PixShape shape)
{
    g_assert(!gradient.buffer || pix_shape_equal(gradient.shape, shape));
}

void pix_backend_backward(PixDevice *device, const PixCall *call)
{
    const PixRow *row = &device->backend->rows[call->op->kind];
    g_assert(call->dout.buffer && pix_shape_equal(call->dout.shape, call->out.shape));
    for (int i = 0; i < pix_op_n_inputs(call->op->kind); i++) {
        g_assert(call->in[i].buffer || !pix_op_keeps_input(call->op, i));
        check_gradient(call->din[i], call->in[i].shape);
    }
    g_assert(call->out.buffer || !pix_op_keeps_output(call->op));
    for (int i = 0; i < PIX_SLOT_COUNT; i++)
        check_gradient(call->dparam[i], call->param[i].shape);
    g_assert(row->backward);
    row->backward(device, call);
}

size_t pix_backend_scratch(const PixDevice *device, const PixCall *call, bool backward)
{
    const PixRow *row = &device->backend->rows[call->op->kind];
    size_t (*bytes)(const PixDevice *, const PixCall *) =
        backward ? row->backward_scratch_bytes : row->scratch_bytes;
    return bytes ? bytes(device, call) : 0;
}

void *pix_backend_choose(const PixDevice *device, const PixCall *call)
{
    const PixRow *row = &device->backend->rows[call->op->kind];
    return row->choose ? row->choose(device, call) : NULL;
}

size_t pix_backend_prepared(const PixDevice *device, const PixCall *call)
{
    const PixRow *row = &device->backend->rows[call->op->kind];
    return row->prepared_bytes && call->fixed ? row->prepared_bytes(device, call) : 0;
}

void pix_backend_prepare(PixDevice *device, const PixCall *call)
{
    if (call->prepared.buffer)
        device->backend->rows[call->op->kind].prepare(device, call);
}
