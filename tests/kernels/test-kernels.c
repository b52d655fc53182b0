/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Every op of every level of the CPU, and of Vulkan, against tests/ref, over a table of shapes.
 * Outputs start as NaN, lie between other channels and between other tensors, and must leave those
 * alone.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "backend.h"
#include "compare.h"
#include "fenced.h"
#include "kernel-cases.h"
#include "narrowed.h"
#include "ref-ops.h"

/* float32 against double; a case that needs more says why. */
#define NMSE 1e-9
/* Of outputs that are rounded to 11 bits: 2^-22 / 3 at most, where all are just above powers of two. */
#define HALF_NMSE 1e-7
/* Of int8: a number in the middle between two steps may be rounded to either. */
#define INT8_NMSE 1e-8

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

/* What the row prepares of the call's parameters. */
static Fenced prepare(PixDevice *device, PixCall *call)
{
    size_t bytes = pix_backend_prepared(device, call);
    Fenced prepared = fenced_new_scratch(device, bytes);
    if (bytes > 0) {
        call->prepared = (PixRange){prepared.tensor.buffer, 0, bytes};
        pix_backend_prepare(device, call);
    }
    return prepared;
}

/* @precision: of the products of a convolution; FP32 and AUTO leave it as it is. */
static void run_case(PixDevice *device, const KernelCase *k, PixFormat format,
                     PixPrecision precision, bool in_place)
{
    const PixBackend *backend = device->backend;
    const PixFrame frame = {.seed = 42, .number = 7};
    PixOp op = narrowed_op(&k->op, precision);
    PixCall call = {.op = &op, .frame = &frame};
    RefCall ref = {.op = &op, .frame = frame};
    Fenced in[PIX_MAX_INPUTS] = {{{{0}}}}, params[PIX_SLOT_COUNT];
    PixShape shape;
    int n_inputs = pix_op_n_inputs(k->op.kind);
    assert_true(pix_op_infer(&k->op, k->in, &shape, NULL));
    for (int i = 0; i < n_inputs; i++) {
        in[i] = make_input(device, k, i, format.maps, &ref.x[i]);
        call.in[i] = in[i].tensor;
        ref.shape[i] = k->in[i];
    }
    params_new(device, k, shape, format.weights, params);
    for (int slot = 0; slot < PIX_SLOT_COUNT; slot++)
        if (k->slots & BIT(slot))
            ref.param[slot] = make_param(device, k, (PixSlot)slot, shape, format.weights,
                                         &params[slot], &call.param[slot]);
    Fenced out = fenced_new_map(device, shape, FENCE, format.maps);
    call.out = in_place ? call.in[0] : out.tensor;
    Fenced scratch = fenced_new_scratch(device, pix_backend_scratch(device, &call, false));
    call.scratch = scratch.tensor.buffer;
    Fenced prepared = prepare(device, &call);
    pix_backend_forward(device, &call);
    narrow_reference(device, &call, &ref);

    g_autofree float *found = g_new(float, out.count);
    g_autofree double *expected = g_new(double, out.count);
    assert_true(backend->read(device, &call.out, found, NULL));
    ref_forward(&ref, expected);
    CompareError e = compare(found, expected, out.count);
    double most = MAX(k->nmse ? k->nmse : NMSE, format.maps == PIX_DTYPE_F16 ? HALF_NMSE : 0);
    if (precision == PIX_PRECISION_INT8)
        most = INT8_NMSE;
    if (!e.finite || e.nmse > most)
        fail_msg("%s (%s, %s, maps of %s%s): NMSE %.2e, worst at %zu: %.9g instead of %.9g",
                 k->name, pix_op_name(k->op.kind), device->info.features,
                 pix_dtype_name(format.maps), in_place ? ", in place" : "", e.nmse, e.worst,
                 (double)found[e.worst], expected[e.worst]);
    fenced_end(device, &out);
    fenced_end(device, &scratch);
    fenced_end(device, &prepared);
    for (int i = 0; i < n_inputs; i++) {
        fenced_end(device, &in[i]);
        g_free((double *)ref.x[i]);
    }
    for (int slot = PIX_SLOT_COUNT - 1; slot >= 0; slot--) /* the first of a row owns it */
        if (k->slots & BIT(slot)) {
            fenced_end(device, &params[slot]);
            g_free((double *)ref.param[slot]);
        }
}

static void run_cases(PixDevice *device, PixFormat format, PixPrecision precision)
{
    for (size_t i = 0; i < n_kernel_cases; i++) {
        const PixOp *op = &kernel_cases[i].op;
        const PixRow *row = &device->backend->rows[op->kind];
        bool conv = op->kind == PIX_OP_CONV || op->kind == PIX_OP_DECONV;
        if (conv && op->conv.rectifies && !row->rectifies)
            continue;
        if (precision != PIX_PRECISION_AUTO && (!conv || kernel_cases[i].breaks))
            continue;
        run_case(device, &kernel_cases[i], format, precision, false);
        if (row->in_place)
            run_case(device, &kernel_cases[i], format, precision, true);
    }
}

static void test_device(void **state)
{
    run_cases(*state, (PixFormat){0}, PIX_PRECISION_AUTO);
}

static void test_half(void **state)
{
    PixDevice *device = *state;
    PixFormat format;
    assert_true(device->backend->format(device, PIX_PRECISION_FP16, &format));
    run_cases(device, format, PIX_PRECISION_AUTO);
}

static void test_bf16(void **state)
{
    run_cases(*state, (PixFormat){0}, PIX_PRECISION_BF16);
}

static void test_int8(void **state)
{
    run_cases(*state, (PixFormat){0}, PIX_PRECISION_INT8);
}

/* The same bits for any number of threads. */
static void test_threads(void **state)
{
    const KernelCase *k = &kernel_cases[KERNEL_CASE_UP];
    float first[16 * 16 * 32], again[16 * 16 * 32];
    for (unsigned threads = 1; threads <= 5; threads++) {
        PixDevice *device = pix_device_open("cpu", threads, NULL);
        const PixBackend *backend = device->backend;
        PixShape in = k->in[0], out;
        assert_true(pix_op_infer(&k->op, k->in, &out, NULL));
        assert_int_equal(pix_shape_count(out), G_N_ELEMENTS(first));
        g_autofree float *x = g_new(float, pix_shape_count(in));
        compare_fill(x, pix_shape_count(in), 1, 9);
        PixCall call = {.op = &k->op};
        Fenced params[PIX_SLOT_COUNT];
        params_new(device, k, out, PIX_DTYPE_F32, params);
        g_free(make_param(device, k, PIX_SLOT_WEIGHT, out, PIX_DTYPE_F32, &params[PIX_SLOT_WEIGHT],
                          &call.param[PIX_SLOT_WEIGHT]));
        call.in[0] = (PixTensor){
            in,
            backend->buffer_new(device, backend->activation_bytes(device, in, PIX_DTYPE_F32), NULL),
            0, 0, in.c};
        call.out =
            (PixTensor){out,
                        backend->buffer_new(
                            device, backend->activation_bytes(device, out, PIX_DTYPE_F32), NULL),
                        0, 0, out.c};
        call.scratch = backend->buffer_new(device, pix_backend_scratch(device, &call, false), NULL);
        backend->write(device, &call.in[0], x, NULL);
        pix_backend_forward(device, &call);
        backend->read(device, &call.out, threads == 1 ? first : again, NULL);
        if (threads > 1)
            assert_memory_equal(first, again, sizeof first);
        backend->buffer_free(device, call.in[0].buffer);
        backend->buffer_free(device, call.out.buffer);
        backend->buffer_free(device, call.param[PIX_SLOT_WEIGHT].buffer);
        backend->buffer_free(device, call.scratch);
        pix_device_unref(device);
    }
}

/* An image is not made of what is no number. */
static void test_nan_is_no_pixel(void **state)
{
    g_autoptr(PixDevice) device = pix_device_open("cpu", 2, NULL);
    const PixBackend *backend = device->backend;
    PixShape shape = {1, 3, 9, 9};
    PixTensor tensor = {
        shape,
        backend->buffer_new(device, backend->activation_bytes(device, shape, PIX_DTYPE_F32), NULL),
        0, 0, shape.c};
    float values[3 * 9 * 9] = {0};
    guint8 pixels[3 * 9 * 9];
    PixImage image = {pixels, 27, 9, 9, 3, 3, {0, 1, 2}};
    PixVideo video;
    PixRect all = {0, 0, 9, 9};
    GError *error = NULL;
    pix_video_from_image(&image, &video);
    assert_true(backend->write(device, &tensor, values, NULL));
    assert_true(backend->read_image(device, &tensor, &video, all, NULL));
    values[200] = NAN;
    assert_true(backend->write(device, &tensor, values, NULL));
    assert_false(backend->read_image(device, &tensor, &video, all, &error));
    assert_int_equal(error->code, PIX_ERROR_BAD_CHECKPOINT);
    g_error_free(error);
    backend->buffer_free(device, tensor.buffer);
}

static int open_with(const char *words, void **state)
{
    g_setenv("PIX2PIX_VULKAN", words, TRUE);
    int result = open_level(state);
    g_unsetenv("PIX2PIX_VULKAN");
    return result;
}

/* With the shaders that the fast ones are compared with. */
static int open_simple(void **state)
{
    return open_with("simple", state);
}

/* With all of the shader for tensor cores but those. */
static int open_matrix(void **state)
{
    return open_with("matrix", state);
}

int main(void)
{
    static const char *const levels[] = {"c,direct:1",
                                         "c,winograd-2x2:1",
                                         "c,winograd-3x3:2",
                                         "c,winograd-4x4:1",
                                         "openblas:2",
                                         "avx2,direct:2",
                                         "avx2,winograd-2x2:2",
                                         "avx2,winograd-3x3:1",
                                         "avx2,winograd-4x4:2",
                                         "avx512:1",
                                         "avx512,direct:3",
                                         "avx512,winograd-2x2:1",
                                         "avx512,winograd-3x3:2",
                                         "avx512,winograd-4x4:3",
                                         "neon:2",
                                         "neon,direct:1",
                                         "neon,winograd-2x2:2",
                                         "neon,winograd-3x3:1",
                                         "neon,winograd-4x4:2",
                                         "vulkan"};
    static const char *const reduced[] = {"c:1",         "avx2:2", "avx512:1",
                                          "avx512dot:3", "amx:2",  "neon:2"};
    struct CMUnitTest tests[G_N_ELEMENTS(levels) + 2 * G_N_ELEMENTS(reduced) + 7] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_nan_is_no_pixel),
    };
    size_t n = 2;
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
        if (has_level(levels[i]))
            tests[n++] = (struct CMUnitTest){levels[i], test_device, open_level, close_device,
                                             (void *)levels[i]};
    for (size_t i = 0; i < G_N_ELEMENTS(reduced); i++)
        if (has_level(reduced[i])) {
            void *level = (void *)reduced[i];
            tests[n++] = (struct CMUnitTest){"bf16", test_bf16, open_level, close_device, level};
            tests[n++] = (struct CMUnitTest){"int8", test_int8, open_level, close_device, level};
        }
    if (has_level("vulkan")) {
        void *level = (void *)"vulkan";
        tests[n++] = (struct CMUnitTest){"vulkan, simple shaders", test_device, open_simple,
                                         close_device, level};
        tests[n++] =
            (struct CMUnitTest){"vulkan in fp16", test_half, open_level, close_device, level};
        tests[n++] =
            (struct CMUnitTest){"vulkan, matrices", test_device, open_matrix, close_device, level};
        tests[n++] = (struct CMUnitTest){"vulkan in fp16, matrices", test_half, open_matrix,
                                         close_device, level};
        tests[n++] = (struct CMUnitTest){"vulkan in fp16, simple shaders", test_half, open_simple,
                                         close_device, level};
    }
    return _cmocka_run_group_tests("kernels", tests, n, NULL, NULL);
}
