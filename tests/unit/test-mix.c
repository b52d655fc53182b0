/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which precision each convolution has: what the file says, what is asked for, what sessions choose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <pix2pix/pix.h>

#define N 10 /* convolutions of a unet_32 */
#define VALUES (3 * 32 * 32)

static const PixPrecision own_mix[N] = {PIX_PRECISION_BF16, PIX_PRECISION_INT8, PIX_PRECISION_INT8,
                                        PIX_PRECISION_INT8, PIX_PRECISION_FP32, PIX_PRECISION_FP32,
                                        PIX_PRECISION_INT8, PIX_PRECISION_BF16, PIX_PRECISION_INT8,
                                        PIX_PRECISION_BF16};

/* @with_mix: whether the file has that above. */
static PixModel *load(PixPrecision precision, gboolean with_mix)
{
    g_autofree char *file =
        g_build_filename(g_getenv("PIX2PIX_TEST_MODELS"), "unet32.safetensors", NULL);
    g_autoptr(PixDevice) device = pix_device_open("cpu", 1, NULL);
    g_autoptr(PixCheckpoint) checkpoint = pix_checkpoint_open(file, NULL, NULL);
    GError *error = NULL;
    if (with_mix)
        pix_checkpoint_set_mix(checkpoint, own_mix, 41.5, 100);
    PixModel *model = pix_model_new(device, checkpoint, precision, &error);
    if (!model)
        fail_msg("%s", error->message);
    assert_int_equal(pix_model_get_n_convolutions(model), N);
    return model;
}

static PixSession *open_session(PixModel *model, const PixPrecision *mix)
{
    PixSessionOptions options;
    pix_session_options_init(&options, model);
    options.mix = mix;
    PixSession *session = pix_session_new(model, &options, NULL);
    assert_non_null(session);
    return session;
}

/* The first has too few channels for units; those before the last go without panels of weights. */
static bool can_reduce(int convolution)
{
    return convolution != 0 && convolution != 7 && convolution != 8;
}

/* @expected: of each convolution, in order.  @optional: or FP32, where that is faster. */
static void assert_layers(PixSession *session, const PixPrecision *expected, bool optional)
{
    const PixTimes *times = pix_session_get_times(session);
    int n = 0;
    for (guint i = 0; i < times->n_layers; i++) {
        const PixLayerTime *layer = &times->layers[i];
        if (!strstr(layer->name, "conv ")) {
            assert_int_equal(layer->precision, PIX_PRECISION_AUTO);
            continue;
        }
        if (!can_reduce(n) || (optional && layer->precision == PIX_PRECISION_FP32))
            assert_int_equal(layer->precision, PIX_PRECISION_FP32);
        else
            assert_int_equal(layer->precision, expected[n]);
        n++;
    }
    assert_int_equal(n, N);
}

static void assert_model(PixPrecision asked, gboolean with_mix, PixPrecision told,
                         const PixPrecision *expected)
{
    g_autoptr(PixModel) model = load(asked, with_mix);
    g_autoptr(PixSession) session = open_session(model, NULL);
    assert_int_equal(pix_model_get_precision(model), told);
    assert_layers(session, expected, told == PIX_PRECISION_AUTO);
}

/* AUTO is what the file says; whatever else is asked for is for all layers. */
static void test_models(void **state)
{
    PixPrecision fp32[N], bf16[N], int8[N];
    for (int i = 0; i < N; i++) {
        fp32[i] = PIX_PRECISION_FP32;
        bf16[i] = PIX_PRECISION_BF16;
        int8[i] = i == 0 || i == N - 1 ? PIX_PRECISION_FP32 : PIX_PRECISION_INT8;
    }
    assert_model(PIX_PRECISION_AUTO, TRUE, PIX_PRECISION_AUTO, own_mix);
    assert_model(PIX_PRECISION_AUTO, FALSE, PIX_PRECISION_FP32, fp32);
    for (int with_mix = 0; with_mix < 2; with_mix++) {
        assert_model(PIX_PRECISION_FP32, with_mix, PIX_PRECISION_FP32, fp32);
        assert_model(PIX_PRECISION_BF16, with_mix, PIX_PRECISION_BF16, bf16);
        assert_model(PIX_PRECISION_INT8, with_mix, PIX_PRECISION_INT8, int8);
    }
}

static void test_info(void **state)
{
    g_autoptr(PixModel) model = load(PIX_PRECISION_FP32, TRUE);
    const PixModelInfo *info = pix_model_get_info(model);
    assert_string_equal(info->mix, "bf16 int8 int8 int8 fp32 fp32 int8 bf16 int8 bf16");
    assert_true(info->mix_psnr == 41.5);
    assert_int_equal(info->mix_pictures, 100);
}

static void run(PixSession *session, float *y)
{
    float x[VALUES];
    GRand *rand = g_rand_new_with_seed(1);
    for (int i = 0; i < VALUES; i++)
        x[i] = (float)g_rand_double_range(rand, -1, 1);
    g_rand_free(rand);
    assert_true(pix_session_forward(session, x, y, NULL));
}

/* A session's own mix is done as it says, and does more than change names. */
static void test_sessions(void **state)
{
    float chosen[VALUES], exact[VALUES];
    g_autoptr(PixModel) plain = load(PIX_PRECISION_FP32, FALSE);
    g_autoptr(PixSession) of_session = open_session(plain, own_mix);
    g_autoptr(PixSession) fp32 = open_session(plain, NULL);
    assert_layers(of_session, own_mix, false);
    run(of_session, chosen);
    run(fp32, exact);
    assert_memory_not_equal(chosen, exact, sizeof chosen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_models),
        cmocka_unit_test(test_info),
        cmocka_unit_test(test_sessions),
    };
    return cmocka_run_group_tests_name("mix", tests, NULL, NULL);
}
