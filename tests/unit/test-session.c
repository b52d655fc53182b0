/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The public interface from device to image: modes, layouts, threads, memory, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <pix2pix/pix.h>

#include "allocations.h"
#include "compare.h"
#include "sanitized.h"

#define SIDE 32
#define BYTES (SIDE * SIDE * 3)

static char *model_file(const char *name)
{
    return g_build_filename(g_getenv("PIX2PIX_TEST_MODELS"), name, NULL);
}

static PixModel *load(unsigned threads, const char *name)
{
    g_autofree char *file = model_file(name);
    g_autoptr(PixDevice) device = pix_device_open("cpu", threads, NULL);
    GError *error = NULL;
    PixModel *model = pix_model_load(device, file, NULL, PIX_PRECISION_AUTO, &error);
    if (!model)
        fail_msg("%s", error->message);
    return model;
}

static PixSession *session_new(PixModel *model, PixDropout dropout, guint64 seed)
{
    PixSessionOptions options;
    pix_session_options_init(&options, model);
    options.dropout = dropout;
    options.seed = seed;
    PixSession *session = pix_session_new(model, &options, NULL);
    assert_non_null(session);
    return session;
}

static PixImage rgb(guint8 *data, int width, int height)
{
    return (PixImage){data, width * 3, width, height, 3, 3, {0, 1, 2}};
}

static PixImage grey(guint8 *data, int width, int height)
{
    return (PixImage){data, width, width, height, 1, 1, {0}};
}

static void fill(guint8 *bytes, size_t count, guint32 seed)
{
    GRand *rand = g_rand_new_with_seed(seed);
    for (size_t i = 0; i < count; i++)
        bytes[i] = (guint8)g_rand_int(rand);
    g_rand_free(rand);
}

static void translate(PixSession *session, const guint8 *in, guint8 *out)
{
    PixImage from = rgb((guint8 *)in, SIDE, SIDE), to = rgb(out, SIDE, SIDE);
    assert_true(pix_session_translate(session, &from, &to, NULL));
}

/* Pixels and tensors are two ways to the same network. */
static void test_image_is_tensor(void **state)
{
    g_autoptr(PixModel) model = load(1, "unet32.safetensors");
    g_autoptr(PixSession) session = session_new(model, PIX_DROPOUT_OFF, 0);
    guint8 in[BYTES], out[BYTES];
    float x[BYTES], y[BYTES];
    fill(in, BYTES, 1);
    for (int i = 0; i < SIDE * SIDE; i++)
        for (int c = 0; c < 3; c++)
            x[c * SIDE * SIDE + i] = (float)in[i * 3 + c] / 127.5f - 1;
    translate(session, in, out);
    assert_true(pix_session_forward(session, x, y, NULL));
    for (int i = 0; i < SIDE * SIDE; i++)
        for (int c = 0; c < 3; c++) {
            float v = (y[c * SIDE * SIDE + i] + 1) * 127.5f - (float)out[i * 3 + c];
            assert_true(v > -0.501f && v < 0.501f);
        }
}

/* Rows apart, upside down, four bytes a pixel, blue first: the same picture. */
static void test_layouts(void **state)
{
    g_autoptr(PixModel) model = load(2, "unet32.safetensors");
    g_autoptr(PixSession) session = session_new(model, PIX_DROPOUT_OFF, 0);
    static const struct {
        int pixel_bytes, padding, offset[3];
        bool bottom_up;
    } layouts[] = {
        {3, 7, {0, 1, 2}, false}, {3, 0, {2, 1, 0}, true},  {4, 5, {1, 2, 3}, false},
        {4, 0, {2, 1, 0}, false}, {5, 11, {4, 0, 2}, true},
    };
    guint8 in[BYTES], out[BYTES];
    fill(in, BYTES, 2);
    translate(session, in, out);
    for (size_t l = 0; l < G_N_ELEMENTS(layouts); l++) {
        gssize stride = SIDE * layouts[l].pixel_bytes + layouts[l].padding;
        size_t bytes = (size_t)stride * SIDE;
        g_autofree guint8 *from = g_malloc(bytes), *to = g_malloc(bytes), *before = NULL;
        fill(to, bytes, 3);
        before = g_memdup2(to, bytes);
        PixImage a = {from, stride, SIDE, SIDE, layouts[l].pixel_bytes, 3, {0}};
        memcpy(a.offset, layouts[l].offset, sizeof layouts[l].offset);
        if (layouts[l].bottom_up) {
            a.data += stride * (SIDE - 1);
            a.stride = -stride;
        }
        PixImage b = a;
        b.data = to + (a.data - from);
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++)
                for (int c = 0; c < 3; c++)
                    a.data[y * a.stride + x * a.pixel_bytes + a.offset[c]] =
                        in[(y * SIDE + x) * 3 + c];
        assert_true(pix_session_translate(session, &a, &b, NULL));
        size_t changed = 0;
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++)
                for (int c = 0; c < 3; c++) {
                    guint8 *at = &b.data[y * b.stride + x * b.pixel_bytes + b.offset[c]];
                    assert_int_equal(*at, out[(y * SIDE + x) * 3 + c]);
                    *at = before[at - to];
                    changed++;
                }
        assert_int_equal(changed, BYTES);
        assert_memory_equal(to, before, bytes);                    /* nothing else was written */
        assert_true(pix_session_translate(session, &a, &a, NULL)); /* onto itself */
        for (int c = 0; c < 3; c++)
            assert_int_equal(a.data[a.offset[c]], out[c]);
    }
}

/* Content inside a larger input is the content with its border repeated by hand. */
static void test_content(void **state)
{
    g_autoptr(PixModel) model = load(1, "unet32.safetensors");
    const PixRect at = {5, 3, 20, 27};
    PixSessionOptions options;
    pix_session_options_init(&options, model);
    options.dropout = PIX_DROPOUT_OFF;
    g_autoptr(PixSession) whole = pix_session_new(model, &options, NULL);
    options.content = at;
    g_autoptr(PixSession) part = pix_session_new(model, &options, NULL);
    guint8 in[20 * 27 * 3], out[20 * 27 * 3], padded[BYTES], expected[BYTES];
    fill(in, sizeof in, 4);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int c = 0; c < 3; c++)
                padded[(y * SIDE + x) * 3 + c] =
                    in[(CLAMP(y - at.y, 0, 26) * 20 + CLAMP(x - at.x, 0, 19)) * 3 + c];
    PixImage from = rgb(in, 20, 27), to = rgb(out, 20, 27);
    assert_true(pix_session_translate(part, &from, &to, NULL));
    translate(whole, padded, expected);
    for (int y = 0; y < at.height; y++)
        assert_memory_equal(out + y * 60, expected + ((y + at.y) * SIDE + at.x) * 3, 60);
}

static void test_dropout(void **state)
{
    g_autoptr(PixModel) model = load(2, "unet_dropout.pth");
    PixSessionOptions options;
    pix_session_options_init(&options, model);
    assert_int_equal(options.width, 64);
    guint8 big[64 * 64], big_out[5][64 * 64];
    fill(big, sizeof big, 6);
    const struct {
        PixDropout dropout;
        guint64 seed;
    } modes[] = {{PIX_DROPOUT_OFF, 0},
                 {PIX_DROPOUT_FROZEN, 0},
                 {PIX_DROPOUT_FROZEN, 1},
                 {PIX_DROPOUT_FRESH, 0},
                 {PIX_DROPOUT_FRESH, 1}};
    PixImage from = grey(big, 64, 64);
    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
        guint8 second[64 * 64];
        g_autoptr(PixSession) session = session_new(model, modes[i].dropout, modes[i].seed);
        PixImage to = grey(big_out[i], 64, 64), again = grey(second, 64, 64);
        assert_true(pix_session_translate(session, &from, &to, NULL));
        assert_true(pix_session_translate(session, &from, &again, NULL));
        bool same = memcmp(big_out[i], second, sizeof second) == 0;
        assert_int_equal(same, modes[i].dropout != PIX_DROPOUT_FRESH);
        pix_session_restart(session);
        assert_true(pix_session_translate(session, &from, &again, NULL));
        assert_memory_equal(big_out[i], second, sizeof second);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(big_out[i], big_out[j], sizeof second);
    }
}

static void test_threads_agree(void **state)
{
    guint8 in[BYTES], first[BYTES], again[BYTES];
    fill(in, BYTES, 7);
    for (unsigned threads = 1; threads < 6; threads++) {
        g_autoptr(PixModel) model = load(threads, "resnet2.safetensors");
        PixSessionOptions options;
        pix_session_options_init(&options, model);
        options.width = options.height = SIDE;
        g_autoptr(PixSession) session = pix_session_new(model, &options, NULL);
        translate(session, in, threads == 1 ? first : again);
        if (threads > 1)
            assert_memory_equal(first, again, BYTES);
    }
}

/* Several sessions of several models on one device, each in its own thread. */
typedef struct {
    PixModel *model;
    guint8 in[BYTES], out[BYTES];
    bool good;
} Worker;

static gpointer work(gpointer data)
{
    Worker *worker = data;
    guint8 out[BYTES];
    worker->good = true;
    for (int i = 0; i < 5; i++) {
        PixSessionOptions options;
        pix_session_options_init(&options, worker->model);
        options.width = options.height = SIDE;
        g_autoptr(PixSession) session = pix_session_new(worker->model, &options, NULL);
        for (int j = 0; j < 4; j++) {
            PixImage from = rgb(worker->in, SIDE, SIDE), to = rgb(out, SIDE, SIDE);
            worker->good &= pix_session_translate(session, &from, &to, NULL) &&
                            memcmp(out, worker->out, BYTES) == 0;
        }
    }
    return NULL;
}

static void test_many_at_once(void **state)
{
    g_autoptr(PixDevice) device = pix_device_open("cpu", 3, NULL);
    const char *const names[] = {"unet32.safetensors", "resnet2.safetensors"};
    Worker workers[6];
    GThread *threads[6];
    for (size_t i = 0; i < 6; i++) {
        g_autofree char *file = model_file(names[i % 2]);
        workers[i].model = i < 2 ? pix_model_load(device, file, NULL, PIX_PRECISION_AUTO, NULL)
                                 : pix_model_ref(workers[i % 2].model);
        fill(workers[i].in, BYTES, (guint32)i);
        PixSessionOptions options;
        pix_session_options_init(&options, workers[i].model);
        options.width = options.height = SIDE;
        g_autoptr(PixSession) session = pix_session_new(workers[i].model, &options, NULL);
        translate(session, workers[i].in, workers[i].out);
    }
    for (size_t i = 0; i < 6; i++)
        threads[i] = g_thread_new("worker", work, &workers[i]);
    for (size_t i = 0; i < 6; i++) {
        g_thread_join(threads[i]);
        assert_true(workers[i].good);
        pix_model_unref(workers[i].model);
    }
}

static void test_no_allocation_per_frame(void **state)
{
    long at_first = allocations_count();
    g_free(g_malloc(100));
    assert_int_equal(allocations_count(), at_first + 1); /* it does count */
    const char *const names[] = {"unet32.safetensors", "resnet2.safetensors"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(PixModel) model = load(3, names[i]);
        PixSessionOptions options;
        pix_session_options_init(&options, model);
        options.width = options.height = SIDE;
        options.dropout = PIX_DROPOUT_FRESH;
        g_autoptr(PixSession) session = pix_session_new(model, &options, NULL);
        guint8 in[BYTES], out[BYTES];
        fill(in, BYTES, 8);
        translate(session, in, out);
        long before = allocations_count();
        for (int j = 0; j < 20; j++)
            translate(session, in, out);
        assert_int_equal(allocations_count(), before);
    }
}

static void test_blend(void **state)
{
    guint8 source[6] = {0, 100, 255, 10, 20, 30}, result[6] = {255, 200, 0, 11, 22, 33};
    guint8 other[6];
    PixImage from = rgb(source, 2, 1), to = rgb(result, 2, 1), copy = rgb(other, 2, 1);
    pix_image_blend(&from, &to, 1);
    assert_memory_equal(result, ((guint8[]){255, 200, 0, 11, 22, 33}), 6);
    pix_image_blend(&from, &to, 0.5);
    assert_memory_equal(result, ((guint8[]){128, 150, 128, 11, 21, 32}), 6);
    pix_image_copy(&from, &copy);
    assert_memory_equal(other, source, 6);
    /* Only what the destination names: here blue, from red. */
    from.channels = to.channels = 1;
    from.offset[0] = 0;
    to.offset[0] = 2;
    pix_image_copy(&from, &to);
    assert_memory_equal(result, ((guint8[]){128, 150, 0, 11, 21, 10}), 6);
}

static void expect(GError *error, PixError code, const char *text)
{
    assert_non_null(error);
    assert_true(error->domain == PIX_ERROR);
    if (error->code != (int)code || !strstr(error->message, text))
        fail_msg("code %d, \"%s\" instead of %d, \"%s\"", error->code, error->message, code, text);
    g_error_free(error);
}

static void expect_no_level(const char *words, const char *told)
{
    GError *error = NULL;
    g_setenv("PIX2PIX_CPU", words, TRUE);
    assert_null(pix_device_open("cpu", 1, &error));
    g_unsetenv("PIX2PIX_CPU");
    expect(error, PIX_ERROR_NO_DEVICE, told);
}

static void test_errors(void **state)
{
    g_autoptr(PixModel) model = load(1, "unet32.safetensors");
    GError *error = NULL;
    PixSessionOptions options;
    pix_session_options_init(&options, model);
    options.width = 40;
    assert_null(pix_session_new(model, &options, &error));
    expect(g_steal_pointer(&error), PIX_ERROR_BAD_SHAPE, "multiples of 32");
    options.n = 0;
    assert_null(pix_session_new(model, &options, &error));
    expect(g_steal_pointer(&error), PIX_ERROR_BAD_SHAPE, "at least one sample");
    options.n = 1;
    assert_false(pix_model_check_size(model, 33, 32, &error));
    expect(g_steal_pointer(&error), PIX_ERROR_BAD_SHAPE, "multiples of 32");
    assert_true(pix_model_check_size(model, 64, 32, NULL));
    options.width = 1 << 20;
    options.height = 1 << 20;
    assert_null(pix_session_new(model, &options, &error));
    expect(g_steal_pointer(&error), PIX_ERROR_BAD_SHAPE, "too large");
    pix_session_options_init(&options, model);
    options.content = (PixRect){10, 0, 30, 32};
    assert_null(pix_session_new(model, &options, &error));
    expect(g_steal_pointer(&error), PIX_ERROR_BAD_SHAPE, "content");
    g_autoptr(PixSession) session = session_new(model, PIX_DROPOUT_OFF, 0);
    guint8 pixels[BYTES];
    PixImage small = rgb(pixels, SIDE, SIDE - 1), whole = rgb(pixels, SIDE, SIDE);
    assert_false(pix_session_translate(session, &small, &whole, &error));
    expect(g_steal_pointer(&error), PIX_ERROR_BAD_SHAPE, "input image");

    options.n = 2;
    options.content = (PixRect){0};
    g_autoptr(PixSession) pair = pix_session_new(model, &options, NULL);
    assert_false(pix_session_translate(pair, &whole, &whole, &error));
    expect(g_steal_pointer(&error), PIX_ERROR_BAD_SHAPE, "one at a time");

    g_autoptr(PixDevice) device = pix_device_open("cpu", 1, NULL);
    g_autofree char *critic = model_file("patchgan.safetensors");
    assert_null(pix_model_load(device, critic, NULL, PIX_PRECISION_AUTO, &error));
    expect(g_steal_pointer(&error), PIX_ERROR_UNSUPPORTED, "this is a discriminator");
    assert_null(pix_model_load(device, "/nowhere/at-all.pth", NULL, PIX_PRECISION_AUTO, &error));
    expect(g_steal_pointer(&error), PIX_ERROR_NOT_FOUND, "/nowhere/at-all.pth");
    assert_null(pix_model_load(device, "no-such-model", NULL, PIX_PRECISION_AUTO, &error));
    expect(g_steal_pointer(&error), PIX_ERROR_NOT_FOUND, "PIX2PIX_MODEL_PATH");
    assert_null(pix_device_open("quantum", 1, &error));
    expect(g_steal_pointer(&error), PIX_ERROR_NO_DEVICE, "quantum");
    assert_null(pix_device_open("cpu:1", 1, &error));
    expect(g_steal_pointer(&error), PIX_ERROR_NO_DEVICE, "cpu:1");
    expect_no_level("sse9", "sse9");
    expect_no_level("sse9,direct", "avx512");
    expect_no_level("c,fast", "winograd-2x2");
    expect_no_level("c,", "direct");
    expect_no_level("c,direct,direct", "direct,direct");
}

/* A view that leads out of its pixels is the caller's mistake, and is not followed. */
static void test_bad_views(void **state)
{
    g_autoptr(PixModel) model = load(1, "unet32.safetensors");
    g_autoptr(PixSession) session = session_new(model, PIX_DROPOUT_OFF, 0);
    guint8 pixels[BYTES];
    PixImage good = rgb(pixels, SIDE, SIDE), bad[5];
    for (int i = 0; i < 5; i++)
        bad[i] = good;
    bad[0].channels = 6;
    bad[1].offset[1] = 3;
    bad[2].offset[2] = -1;
    bad[3].pixel_bytes = 0;
    bad[4].data = NULL;
    for (int i = 0; i < 5; i++) {
        GLogLevelFlags fatal = g_log_set_always_fatal(G_LOG_FATAL_MASK);
        g_test_expect_message("pix2pix", G_LOG_LEVEL_CRITICAL, "*pix_image_check*");
        g_test_expect_message("pix2pix", G_LOG_LEVEL_CRITICAL, "*pix_image_check*");
        assert_false(pix_session_translate(session, &bad[i], &good, NULL));
        pix_image_copy(&good, &bad[i]);
        g_test_assert_expected_messages();
        g_log_set_always_fatal(fatal);
    }
}

static void test_finding(void **state)
{
    g_autofree char *empty = pix_model_find("facades", NULL);
    assert_string_equal(empty, "");
    g_setenv("PIX2PIX_MODEL_PATH", g_getenv("PIX2PIX_TEST_MODELS"), TRUE);
    g_autofree char *found = pix_model_find("unet32", NULL);
    g_unsetenv("PIX2PIX_MODEL_PATH");
    assert_true(g_str_has_suffix(found, "/unet32.safetensors"));
    g_setenv("PIX2PIX_DEVICE", "nonsense", TRUE);
    assert_null(pix_device_open(NULL, 1, NULL));
    g_setenv("PIX2PIX_DEVICE", "CPU", TRUE);
    g_autoptr(PixDevice) device = pix_device_open(NULL, 2, NULL);
    g_unsetenv("PIX2PIX_DEVICE");
    assert_string_equal(pix_device_get_info(device)->id, "cpu");
    assert_non_null(strstr(pix_device_get_info(device)->features, "2 threads"));
    assert_string_equal(pix_version(), PIX_VERSION);
}

/* What is said of layers without running them: reasons, and the bytes that there are to move. */
static void check_layers(const PixTimes *times)
{
    guint reasons = 0;
    for (guint i = 0; i < times->n_layers; i++) {
        const PixLayerTime *layer = &times->layers[i];
        bool concat = strstr(layer->name, ": concat ");
        assert_true(concat ? layer->bytes == 0 : layer->bytes > 0); /* skips lie in their place */
        assert_true(!concat || !layer->reason);
        reasons += layer->reason && strstr(layer->reason, " of gemm, estimated");
    }
    assert_int_equal(reasons, 15); /* all but the first convolution, which has 3 channels */
}

/* In fewer bits: weights are half or a quarter of float32's, which are most of the bytes here. */
static void test_layers_of_precisions(void **state)
{
    g_autoptr(PixDevice) device = pix_device_open("cpu", 1, NULL);
    g_autoptr(PixModel) model = pix_model_load(device, "facades", NULL, PIX_PRECISION_FP32, NULL);
    guint n = pix_model_get_n_convolutions(model);
    g_autofree PixPrecision *mix = g_new(PixPrecision, n);
    PixSessionOptions options;
    pix_session_options_init(&options, model);
    options.mix = mix;
    for (guint i = 0; i < n; i++)
        mix[i] = i == 7 ? PIX_PRECISION_INT8 : i == 6 ? PIX_PRECISION_BF16 : PIX_PRECISION_FP32;
    g_autoptr(PixSession) session = pix_session_new(model, &options, NULL);
    options.mix = NULL;
    g_autoptr(PixSession) exact = pix_session_new(model, &options, NULL);
    const PixLayerTime *layers = pix_session_get_times(session)->layers;
    const PixLayerTime *whole = pix_session_get_times(exact)->layers;
    assert_true(g_str_has_prefix(layers[7].reason, "its precision costs "));
    assert_true(g_str_has_prefix(layers[6].reason, "its precision costs "));
    assert_true(layers[7].bytes < 0.27 * whole[7].bytes);
    assert_true(layers[6].bytes < 0.52 * whole[6].bytes);
    assert_true(layers[5].bytes == whole[5].bytes);
}

/* The compiled-in model translates; its numbers are judged where references are. */
static void test_default_model(void **state)
{
    g_autoptr(PixDevice) device = pix_device_open("cpu", 0, NULL);
    g_autoptr(PixModel) model = pix_model_load(device, "facades", NULL, PIX_PRECISION_AUTO, NULL);
    assert_non_null(model);
    const PixModelInfo *info = pix_model_get_info(model);
    assert_string_equal(info->architecture, "unet_256");
    assert_int_equal(info->in_channels, 3);
    assert_int_equal(info->width, 256);
    g_autoptr(PixSession) session = session_new(model, PIX_DROPOUT_FROZEN, 0);
    g_autofree guint8 *pixels = g_malloc0(256 * 256 * 3);
    PixImage image = rgb(pixels, 256, 256);
    assert_true(pix_session_translate(session, &image, &image, NULL));
    guint sum = 0;
    for (int i = 0; i < 256 * 256 * 3; i++)
        sum += pixels[i];
    assert_in_range(sum / (256 * 256 * 3), 20, 235);
    const PixTimes *times = pix_session_get_times(session);
    assert_true(times->network_ms > 0 && times->pack_ms > 0 && times->unpack_ms > 0);
    assert_true(times->n_layers > 15);
    check_layers(times);
    assert_true(pix_session_get_bytes(session) > 1 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image_is_tensor),
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_threads_agree),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_blend),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_bad_views),
        cmocka_unit_test(test_finding),
        cmocka_unit_test(test_layers_of_precisions),
        cmocka_unit_test(test_default_model),
        cmocka_unit_test(test_no_allocation_per_frame), /* last: not under sanitizers */
    };
    return _cmocka_run_group_tests("session", tests, G_N_ELEMENTS(tests) - is_sanitized(), NULL,
                                   NULL);
}
