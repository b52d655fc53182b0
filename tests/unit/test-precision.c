/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A model in half precision: the same pictures in half the memory. On lavapipe, or a GPU. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <pix2pix/pix.h>

#define SIDE 256
#define BYTES (SIDE * SIDE * 3)
#define LEAST_PSNR 40.0 /* dB, of pictures in fp16 against those in fp32 */

static PixDevice *device;

static PixModel *load(PixPrecision precision)
{
    GError *error = NULL;
    PixModel *model = pix_model_load(device, "facades", NULL, precision, &error);
    if (!model)
        fail_msg("%s", error->message);
    assert_int_equal(pix_model_get_precision(model), precision);
    return model;
}

static PixSession *open_session(PixModel *model)
{
    PixSessionOptions options;
    pix_session_options_init(&options, model);
    PixSession *session = pix_session_new(model, &options, NULL);
    assert_non_null(session);
    assert_int_equal(options.width, SIDE);
    assert_int_equal(options.height, SIDE);
    PixPrecision first = pix_session_get_times(session)->layers[0].precision;
    assert_int_equal(first, pix_model_get_precision(model));
    return session;
}

/* A wall with a door and windows in the colours of labels. */
static void draw(guint8 *pixels)
{
    static const guint8 wall[] = {0, 6, 217}, window[] = {13, 61, 251}, door[] = {254, 81, 0};
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            bool opens = x % 64 >= 16 && x % 64 < 48 && y % 64 >= 20 && y % 64 < 52;
            const guint8 *colour = opens ? y / 64 == 3 && x / 64 == 1 ? door : window : wall;
            memcpy(pixels + (y * SIDE + x) * 3, colour, 3);
        }
}

static PixImage view(guint8 *pixels)
{
    return (PixImage){pixels, SIDE * 3, SIDE, SIDE, 3, 3, {0, 1, 2}};
}

static void translate(PixSession *session, guint8 *in, guint8 *out)
{
    PixImage from = view(in), to = view(out);
    assert_true(pix_session_translate(session, &from, &to, NULL));
}

static double psnr(const guint8 *a, const guint8 *b)
{
    double squares = 0;
    for (int i = 0; i < BYTES; i++)
        squares += (double)(a[i] - b[i]) * (a[i] - b[i]);
    return 10 * log10(255.0 * 255.0 * BYTES / fmax(squares, 1));
}

static void test_pictures(void **state)
{
    guint8 in[BYTES], exact[BYTES], half[BYTES], again[BYTES];
    g_autoptr(PixModel) exact_model = load(PIX_PRECISION_FP32);
    g_autoptr(PixModel) half_model = load(PIX_PRECISION_FP16);
    g_autoptr(PixSession) session = open_session(exact_model);
    g_autoptr(PixSession) half_session = open_session(half_model);
    draw(in);
    translate(session, in, exact);
    translate(half_session, in, half);
    translate(half_session, in, again);
    assert_memory_equal(half, again, BYTES);
    double found = psnr(half, exact);
    print_message("# %.1f dB\n", found);
    if (!(found > LEAST_PSNR))
        fail_msg("%.1f dB", found);
    if (memcmp(half, exact, BYTES) == 0)
        fail_msg("fp16 made the very picture of fp32");
}

/* Weights to a half; of a session, the maps, not the sums that norms take their statistics from. */
static void test_memory(void **state)
{
    g_autoptr(PixModel) exact = load(PIX_PRECISION_FP32);
    g_autoptr(PixModel) half = load(PIX_PRECISION_FP16);
    g_autoptr(PixSession) session = open_session(exact);
    g_autoptr(PixSession) half_session = open_session(half);
    double weights = (double)pix_model_get_info(half)->weight_bytes;
    double bytes = (double)pix_session_get_bytes(half_session);
    assert_true(weights < 0.51 * (double)pix_model_get_info(exact)->weight_bytes);
    assert_true(bytes < 0.67 * (double)pix_session_get_bytes(session));
}

/* A mix in the file is for the CPU: a GPU's AUTO is FP32 all the same, and sessions cannot choose. */
static void test_mix(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *file =
        g_build_filename(g_getenv("PIX2PIX_TEST_MODELS"), "unet32.safetensors", NULL);
    g_autoptr(PixCheckpoint) checkpoint = pix_checkpoint_open(file, NULL, NULL);
    PixPrecision halves[10];
    for (int i = 0; i < 10; i++)
        halves[i] = PIX_PRECISION_BF16;
    pix_checkpoint_set_mix(checkpoint, halves, 41.5, 100);
    g_autoptr(PixModel) model = pix_model_new(device, checkpoint, PIX_PRECISION_AUTO, NULL);
    assert_int_equal(pix_model_get_precision(model), PIX_PRECISION_FP32);
    PixSessionOptions options;
    pix_session_options_init(&options, model);
    g_autoptr(PixSession) session = pix_session_new(model, &options, NULL);
    assert_int_equal(pix_session_get_times(session)->layers[0].precision, PIX_PRECISION_FP32);
    options.mix = halves;
    assert_null(pix_session_new(model, &options, &error));
    assert_true(g_error_matches(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED));
}

/* A GPU without 16-bit floats says so. */
static void test_without(void **state)
{
    g_autoptr(GError) error = NULL;
    g_setenv("PIX2PIX_VULKAN", "nofp16", TRUE);
    g_autoptr(PixDevice) other = pix_device_open("vulkan", 1, NULL);
    g_unsetenv("PIX2PIX_VULKAN");
    assert_null(strstr(pix_device_get_info(other)->features, "fp16"));
    assert_null(pix_model_load(other, "facades", NULL, PIX_PRECISION_FP16, &error));
    assert_true(g_error_matches(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED));
    assert_non_null(strstr(error->message, "fp32"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_mix),
        cmocka_unit_test(test_without),
    };
    device = pix_device_open("vulkan", 1, NULL);
    int failed = cmocka_run_group_tests_name("precision", tests, NULL, NULL);
    pix_device_unref(device);
    return failed;
}
