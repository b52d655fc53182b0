/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel-run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "compare.h"
#include "narrowed.h"

#define FENCE 2 /* channels on each side */

/* As memory of @dtype would give them back. */
static void round_to(PixDtype dtype, float *values, size_t count)
{
    g_autofree char *stored = g_malloc(count * pix_dtype_bytes(dtype));
    pix_dtype_from_floats(dtype, values, stored, count);
    pix_dtype_to_floats(dtype, stored, values, count);
}

static double *to_double(const float *values, size_t count)
{
    double *copy = g_new(double, count);
    for (size_t i = 0; i < count; i++)
        copy[i] = (double)values[i];
    return copy;
}

static void param_dims(const KernelCase *k, PixSlot slot, PixShape out, int dims[4])
{
    const PixConvOp *o = &k->op.conv;
    bool conv = k->op.kind == PIX_OP_CONV;
    int c = k->in[0].c;
    int weight[4] = {conv ? o->oc : c, conv ? c : o->oc, o->kh, o->kw};
    int vector[4] = {out.c, 1, 1, 1};
    memcpy(dims, slot == PIX_SLOT_WEIGHT ? weight : vector, sizeof weight);
}

/* Weights are of @dtype; those that are none lie in one row. */
static void params_new(PixDevice *device, const KernelCase *k, PixShape out, PixDtype dtype,
                       Fenced params[PIX_SLOT_COUNT])
{
    PixShape vectors[PIX_SLOT_COUNT] = {{0}};
    int dims[4];
    for (int slot = PIX_SLOT_BIAS; slot < PIX_SLOT_COUNT; slot++)
        if (k->slots & BIT(slot))
            vectors[slot] = (PixShape){1, out.c, 1, 1};
    fenced_new_row(device, vectors, PIX_SLOT_COUNT, params);
    param_dims(k, PIX_SLOT_WEIGHT, out, dims);
    if (k->slots & WEIGHT)
        params[PIX_SLOT_WEIGHT] = fenced_new_weight(device, &k->op, dims, dtype);
}

/*
 * Fills a parameter on the device and for the specification; weights are of @dtype. It must come back
 * as it was.
 */
static double *make_param(PixDevice *device, const KernelCase *k, PixSlot slot, PixShape out,
                          PixDtype dtype, const Fenced *fenced, PixTensor *tensor)
{
    const PixBackend *backend = device->backend;
    int dims[4];
    param_dims(k, slot, out, dims);
    PixShape shape = {dims[0], dims[1], dims[2], dims[3]};
    size_t count = pix_shape_count(shape);
    g_autofree float *values = g_new(float, count), *back = g_new0(float, count);
    compare_fill(values, count, slot == PIX_SLOT_WEIGHT ? 0.1f : 1, 77 + slot);
    if (slot == PIX_SLOT_VARIANCE)
        for (size_t i = 0; i < count; i++)
            values[i] = fabsf(values[i]) + 0.1f;
    *tensor = fenced->tensor;
    if (slot == PIX_SLOT_WEIGHT) {
        *tensor = (PixTensor){shape, tensor->buffer, tensor->offset, 0, shape.c, dtype};
        round_to(dtype, values, count);
        assert_true(backend->write_weight(device, tensor, &k->op, dims, values, NULL));
        assert_true(backend->read_weight(device, tensor, &k->op, dims, back, NULL));
    } else {
        assert_true(backend->write(device, tensor, values, NULL));
        assert_true(backend->read(device, tensor, back, NULL));
    }
    assert_memory_equal(values, back, count * sizeof *values);
    return to_double(values, count);
}

/* NaN of either sign and infinities, each in a pixel and a channel of its own. */
static void break_values(float *values, size_t count)
{
    const float broken[] = {NAN, -NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++)
        values[count / 5 * (i + 1) + i] = broken[i];
}

/* @copy: (out): the same numbers for the specification. */
static Fenced make_input(PixDevice *device, const KernelCase *k, int index, PixDtype dtype,
                         const double **copy)
{
    Fenced f = fenced_new_map(device, k->in[index], FENCE, dtype);
    g_autofree float *values = g_new(float, f.count);
    compare_fill(values, f.count, k->range ? k->range : 1, 1 + (guint)index);
    if (k->op.kind == PIX_OP_NORM && k->range) /* far from zero, and little spread */
        for (size_t j = 0; j < f.count; j++)
            values[j] = k->range + values[j] / k->range;
    if (k->breaks)
        break_values(values, f.count);
    round_to(dtype, values, f.count);
    fenced_write(device, &f, values);
    *copy = to_double(values, f.count);
    return f;
}

static void make_inputs(KernelRun *run, PixDtype maps)
{
    const KernelCase *k = run->kernel_case;
    for (int i = 0; i < pix_op_n_inputs(k->op.kind); i++) {
        run->in[i] = make_input(run->device, k, i, maps, &run->ref.x[i]);
        run->call.in[i] = run->in[i].tensor;
        run->ref.shape[i] = k->in[i];
    }
}

static void make_params(KernelRun *run, PixShape out, PixDtype weights)
{
    const KernelCase *k = run->kernel_case;
    params_new(run->device, k, out, weights, run->params);
    for (int slot = 0; slot < PIX_SLOT_COUNT; slot++)
        if (k->slots & BIT(slot))
            run->ref.param[slot] = make_param(run->device, k, (PixSlot)slot, out, weights,
                                              &run->params[slot], &run->call.param[slot]);
}

/* What the row prepares of the call's parameters. */
static void prepare(KernelRun *run)
{
    size_t bytes = pix_backend_prepared(run->device, &run->call);
    run->prepared = fenced_new_scratch(run->device, bytes);
    if (bytes == 0)
        return;
    run->call.prepared = (PixRange){run->prepared.tensor.buffer, 0, bytes};
    pix_backend_prepare(run->device, &run->call);
}

void kernel_run_begin(KernelRun *run, PixDevice *device, const KernelCase *k, KernelWay way)
{
    PixCall *call = &run->call;
    PixShape out;
    assert_true(pix_op_infer(&k->op, k->in, &out, NULL));
    *run = (KernelRun){.device = device,
                       .kernel_case = k,
                       .op = narrowed_op(&k->op, way.precision),
                       .frame = {.seed = 42, .number = 7}};
    *call = (PixCall){.op = &run->op, .frame = &run->frame, .fixed = way.fixed};
    run->ref = (RefCall){.op = &run->op, .frame = run->frame};
    make_inputs(run, way.format.maps);
    make_params(run, out, way.format.weights);
    run->out = fenced_new_map(device, out, FENCE, way.format.maps);
    run->count = run->out.count;
    call->out = way.in_place ? call->in[0] : run->out.tensor;
    call->choice = run->choice = pix_backend_choose(device, call);
    run->scratch = fenced_new_scratch(device, pix_backend_scratch(device, call, false));
    call->scratch = run->scratch.tensor.buffer;
    prepare(run);
    pix_backend_forward(device, call);
}

float *kernel_run_output(const KernelRun *run)
{
    float *found = g_new(float, run->count);
    assert_true(run->device->backend->read(run->device, &run->call.out, found, NULL));
    return found;
}

PixPrecision kernel_run_precision(const KernelRun *run)
{
    const PixRow *row = &run->device->backend->rows[run->op.kind];
    return row->precision ? row->precision(run->device, &run->call) : PIX_PRECISION_FP32;
}

void kernel_run_end(KernelRun *run)
{
    const KernelCase *k = run->kernel_case;
    fenced_end(run->device, &run->out);
    fenced_end(run->device, &run->scratch);
    fenced_end(run->device, &run->prepared);
    for (int i = 0; i < pix_op_n_inputs(k->op.kind); i++) {
        fenced_end(run->device, &run->in[i]);
        g_free((double *)run->ref.x[i]);
    }
    for (int slot = PIX_SLOT_COUNT - 1; slot >= 0; slot--) /* the first of a row owns it */
        if (k->slots & BIT(slot)) {
            fenced_end(run->device, &run->params[slot]);
            g_free((double *)run->ref.param[slot]);
        }
    g_free(run->choice);
}
