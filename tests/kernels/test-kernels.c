/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Every op of every level of the CPU, and of Vulkan, against tests/ref, over a table of shapes.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "backend.h"
#include "compare.h"
#include "kernel-run.h"
#include "narrowed.h"

/* float32 against double; a case that needs more says why. */
#define NMSE 1e-9
/* Of outputs that are rounded to 11 bits: 2^-22 / 3 at most, where all are just above powers of two. */
#define HALF_NMSE 1e-7
/* Of int8: a number in the middle between two steps may be rounded to either. */
#define INT8_NMSE 1e-8

/* Convolutions of the table that reduced precision can do, at least. */
#define MANY 10
#define MAX_THREADS 10
#define MAX_CASES 200

/* What the specification says, once for all devices. */
static const double *expected_of(KernelRun *run, PixPrecision precision)
{
    static double *known[PIX_PRECISION_INT8 + 1][MAX_CASES];
    double **expected = &known[precision][run->kernel_case - kernel_cases];
    if (!*expected) {
        *expected = g_new(double, run->count);
        narrow_reference(&run->call, precision, &run->ref);
        ref_forward(&run->ref, *expected);
    }
    return *expected;
}

static void run_case(PixDevice *device, const KernelCase *k, KernelWay way, int *reduced)
{
    KernelRun run;
    kernel_run_begin(&run, device, k, way);
    PixPrecision precision = kernel_run_precision(&run);
    bool half = way.format.maps == PIX_DTYPE_F16;
    const double *expected = expected_of(&run, half ? PIX_PRECISION_FP16 : precision);
    g_autofree float *found = kernel_run_output(&run);
    CompareError e = compare(found, expected, run.count);
    double most = MAX(k->nmse ? k->nmse : NMSE, half ? HALF_NMSE : 0);
    if (precision == PIX_PRECISION_INT8)
        most = INT8_NMSE;
    if (!e.finite || e.nmse > most)
        fail_msg("%s (%s, %s, maps of %s%s%s): NMSE %.2e, worst at %zu: %.9g instead of %.9g",
                 k->name, pix_op_name(k->op.kind), device->info.features,
                 pix_dtype_name(way.format.maps), way.in_place ? ", in place" : "",
                 way.fixed ? ", prepared" : "", e.nmse, e.worst, (double)found[e.worst],
                 expected[e.worst]);
    *reduced += precision != PIX_PRECISION_FP32;
    kernel_run_end(&run);
}

static bool is_conv(const KernelCase *k)
{
    return k->op.kind == PIX_OP_CONV || k->op.kind == PIX_OP_DECONV;
}

/* Returns: how many had products in reduced precision. */
static int run_cases(PixDevice *device, PixFormat format, PixPrecision precision)
{
    int reduced = 0;
    for (size_t i = 0; i < n_kernel_cases; i++) {
        const KernelCase *k = &kernel_cases[i];
        const PixRow *row = &device->backend->rows[k->op.kind];
        KernelWay way = {.format = format, .precision = precision, .fixed = true};
        if (is_conv(k) && k->op.conv.rectifies && !row->rectifies)
            continue;
        if (precision != PIX_PRECISION_AUTO && (!is_conv(k) || k->breaks))
            continue;
        run_case(device, k, way, &reduced);
        if (row->prepare && precision == PIX_PRECISION_AUTO) {
            way.fixed = false;
            run_case(device, k, way, &reduced);
        }
        way.in_place = row->in_place;
        if (row->in_place)
            run_case(device, k, way, &reduced);
    }
    return reduced;
}

static void test_device(void **state)
{
    assert_int_equal(run_cases(*state, (PixFormat){0}, PIX_PRECISION_AUTO), 0);
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
    assert_true(run_cases(*state, (PixFormat){0}, PIX_PRECISION_BF16) >= MANY);
}

static void test_int8(void **state)
{
    assert_true(run_cases(*state, (PixFormat){0}, PIX_PRECISION_INT8) >= MANY);
}

static void expect_same(PixDevice *const *devices, const KernelCase *k, KernelWay way)
{
    g_autofree float *first = NULL;
    for (int i = 0; i < MAX_THREADS; i++) {
        KernelRun run;
        kernel_run_begin(&run, devices[i], k, way);
        float *found = kernel_run_output(&run);
        if (!first)
            first = found;
        else if (memcmp(first, found, run.count * sizeof *found) != 0)
            fail_msg("%s (%s%s): %d threads give other bits than one", k->name,
                     pix_precision_name(way.precision), way.fixed ? ", prepared" : "", i + 1);
        if (found != first)
            g_free(found);
        kernel_run_end(&run);
    }
}

static bool is_int8(PixDevice *device, PixOp op, int c)
{
    PixCall call = {.op = &op, .in = {{.shape = {1, c, 1, 1}, .c_whole = c}}, .fixed = true};
    assert_true(pix_op_infer(&op, &call.in[0].shape, &call.out.shape, NULL));
    return device->backend->rows[op.kind].precision(device, &call) == PIX_PRECISION_INT8;
}

/* Sums of 255 * 127 stay in 32 bits up to 66311 of them. Of a longer one float32 makes the products. */
static void test_longest_int8(void **state)
{
    g_autoptr(PixDevice) device = pix_device_open("cpu", 1, NULL);
    PixConvOp one = {.oc = 64, .kh = 1, .kw = 1, .sh = 1, .sw = 1, .precision = PIX_PRECISION_INT8};
    PixConvOp four = {
        .oc = 64, .kh = 4, .kw = 4, .sh = 2, .sw = 2, .precision = PIX_PRECISION_INT8};
    four.pad = (PixPadding){PIX_PAD_ZERO, 2, 2, 2, 2};
    assert_true(is_int8(device, (PixOp){.kind = PIX_OP_CONV, .conv = one}, 66308));
    assert_false(is_int8(device, (PixOp){.kind = PIX_OP_CONV, .conv = one}, 66312));
    assert_true(is_int8(device, (PixOp){.kind = PIX_OP_CONV, .conv = four}, 4144));
    assert_false(is_int8(device, (PixOp){.kind = PIX_OP_CONV, .conv = four}, 4148));
    four.pad = (PixPadding){PIX_PAD_ZERO, 1, 1, 1, 1};
    assert_true(is_int8(device, (PixOp){.kind = PIX_OP_DECONV, .conv = four}, 16576));
    assert_false(is_int8(device, (PixOp){.kind = PIX_OP_DECONV, .conv = four}, 16580));
}

/* The same bits for any number of threads. */
static void test_threads(void **state)
{
    static const KernelWay ways[] = {{.fixed = true},
                                     {.fixed = false},
                                     {.fixed = true, .precision = PIX_PRECISION_BF16},
                                     {.fixed = true, .precision = PIX_PRECISION_INT8}};
    PixDevice *devices[MAX_THREADS];
    for (unsigned i = 0; i < MAX_THREADS; i++)
        devices[i] = pix_device_open("cpu", i + 1, NULL);
    for (size_t i = 0; i < n_kernel_cases; i++)
        for (size_t j = 0; j < G_N_ELEMENTS(ways); j++)
            if (is_conv(&kernel_cases[i]))
                expect_same(devices, &kernel_cases[i], ways[j]);
    for (int i = 0; i < MAX_THREADS; i++)
        pix_device_unref(devices[i]);
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
    g_assert(n_kernel_cases <= MAX_CASES);
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
    static const char *const reduced[] = {"c:1",          "avx2:2",      "avx2vnni:3", "avx512:1",
                                          "avx512vnni:2", "avx512dot:3", "amx:2",      "neon:2"};
    static char names[2 * G_N_ELEMENTS(reduced)][32];
    struct CMUnitTest tests[G_N_ELEMENTS(levels) + 2 * G_N_ELEMENTS(reduced) + 8] = {
        cmocka_unit_test(test_longest_int8),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_nan_is_no_pixel),
    };
    size_t n = 3;
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
        if (has_level(levels[i]))
            tests[n++] = (struct CMUnitTest){levels[i], test_device, open_level, close_device,
                                             (void *)levels[i]};
    for (size_t i = 0; i < G_N_ELEMENTS(reduced); i++)
        if (has_level(reduced[i])) {
            void *level = (void *)reduced[i];
            g_snprintf(names[2 * i], sizeof *names, "%s, bf16", reduced[i]);
            g_snprintf(names[2 * i + 1], sizeof *names, "%s, int8", reduced[i]);
            tests[n++] =
                (struct CMUnitTest){names[2 * i], test_bf16, open_level, close_device, level};
            tests[n++] =
                (struct CMUnitTest){names[2 * i + 1], test_int8, open_level, close_device, level};
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
