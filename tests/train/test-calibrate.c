/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The mix of precisions of a real network on real pictures, with made-up times: what a frame takes
 * comes from here, so that nothing depends on the machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "calibrate.h"
#include "sample-files.h"

#include <math.h>
#include <string.h>

#define N 10 /* convolutions of a unet_32 */
#define SIDE 32
#define VALUES (3 * SIDE * SIDE)
#define PICTURES 4

/** World: what times are, what AUTO does, and what goes wrong. */
typedef struct {
    double ms[PIX_PRECISION_INT8 + 1]; /* of a convolution, by precision */
    double mixing;                     /* ms for each neighbours of different precisions */
    guint timed;                       /* frames */
    gboolean overflows;
    guint
        follows[PIX_PRECISION_INT8 + 1]; /* AUTO follows a mix with that at these: a bit for each */
    const PixSession *automatic;         /* a session in AUTO */
    PixPrecision asked;                  /* of all its layers, by the mix of its file */
} World;

static World world;

PixSession *__real_pix_session_new(PixModel *model, const PixSessionOptions *options,
                                   GError **error);
PixSession *__wrap_pix_session_new(PixModel *model, const PixSessionOptions *options,
                                   GError **error);
const PixTimes *__real_pix_session_get_times(PixSession *session);
const PixTimes *__wrap_pix_session_get_times(PixSession *session);
gboolean __real_pix_session_forward(PixSession *session, const float *x, float *y, GError **error);
gboolean __wrap_pix_session_forward(PixSession *session, const float *x, float *y, GError **error);

PixSession *__wrap_pix_session_new(PixModel *model, const PixSessionOptions *options,
                                   GError **error)
{
    const char *mix = pix_model_get_info(model)->mix;
    PixSession *session = __real_pix_session_new(model, options, error);

    if (mix && !options->mix) {
        world.automatic = session;
        world.asked = mix[0] == 'b' ? PIX_PRECISION_BF16 : PIX_PRECISION_INT8;
    } else if (session == world.automatic) { /* at the place of one that is gone */
        world.automatic = NULL;
    }
    return session;
}

/* What convolution @n of @session says that it is made in. */
static PixPrecision tell(const PixSession *session, guint n, PixPrecision precision)
{
    if (session != world.automatic)
        return precision;
    return world.follows[world.asked] >> n & 1 ? world.asked : PIX_PRECISION_FP32;
}

const PixTimes *__wrap_pix_session_get_times(PixSession *session)
{
    static PixTimes made_up;
    static PixLayerTime layers[100];
    PixPrecision last = PIX_PRECISION_AUTO;

    made_up = *__real_pix_session_get_times(session);
    assert_in_range(made_up.n_layers, N, G_N_ELEMENTS(layers));
    memcpy(layers, made_up.layers, made_up.n_layers * sizeof(*layers));
    made_up.layers = layers;
    made_up.network_ms = 0;
    for (guint i = 0, n = 0; i < made_up.n_layers; i++) {
        PixPrecision precision = layers[i].precision;
        if (precision == PIX_PRECISION_AUTO)
            continue;
        layers[i].precision = precision = tell(session, n++, precision);
        layers[i].ms = world.ms[precision];
        made_up.network_ms += layers[i].ms;
        if (last != PIX_PRECISION_AUTO && last != precision)
            made_up.network_ms += world.mixing;
        last = precision;
    }
    world.timed++;
    return &made_up;
}

gboolean __wrap_pix_session_forward(PixSession *session, const float *x, float *y, GError **error)
{
    gboolean ok = __real_pix_session_forward(session, x, y, error);

    if (world.overflows)
        y[7] = INFINITY;
    return ok;
}

static PixCheckpoint *open_file(void)
{
    g_autofree char *file =
        g_build_filename(g_getenv("PIX2PIX_TEST_MODELS"), "unet32.safetensors", NULL);
    PixCheckpoint *checkpoint = pix_checkpoint_open(file, NULL, NULL);

    assert_non_null(checkpoint);
    return checkpoint;
}

static PixModel *load(PixCheckpoint *checkpoint)
{
    g_autoptr(PixDevice) device = pix_device_open("cpu", 1, NULL);
    PixModel *model = pix_model_new(device, checkpoint, PIX_PRECISION_FP32, NULL);

    assert_non_null(model);
    assert_int_equal(pix_model_get_n_convolutions(model), N);
    return model;
}

static CalibrationSet *open_set(const PixModel *model, const char *folder)
{
    const CalibrationSetOptions options = {.folder = folder};

    sample_pictures(folder, PICTURES, SIDE, SIDE);
    CalibrationSet *set = calibration_set_open(&options, pix_model_get_info(model), NULL);
    assert_non_null(set);
    return set;
}

static gboolean run(double psnr, const char *folder, Calibrated *found, GError **error)
{
    g_autoptr(PixCheckpoint) checkpoint = open_file();
    g_autoptr(PixModel) model = load(checkpoint);
    g_autoptr(CalibrationSet) set = open_set(model, folder);

    return calibrate(model, checkpoint, set, psnr, found, error);
}

static void assert_nothing_found(double psnr)
{
    g_auto(Calibrated) found = {0};

    assert_true(run(psnr, "inputs", &found, NULL));
    assert_null(found.mix);
    assert_null(found.names);
    assert_true(found.n == 0 && found.psnr == 0 && found.pictures == 0);
}

static void assert_reduced(const Calibrated *found, guint at_least)
{
    guint reduced = 0;

    for (int i = 0; i < N; i++)
        reduced += found->mix[i] != PIX_PRECISION_FP32;
    assert_in_range(reduced, at_least, N);
}

/* In dB, from @exact, of the worst of all pictures. */
static double measure_psnr(PixModel *model, const CalibrationSet *set, const PixPrecision *mix)
{
    g_autofree float *x = g_new(float, VALUES), *y = g_new(float, VALUES);
    g_autofree float *exact = g_new(float, VALUES);
    PixSessionOptions options;
    double worst = 0;

    pix_session_options_init(&options, model);
    g_autoptr(PixSession) wide = pix_session_new(model, &options, NULL);
    options.mix = mix;
    g_autoptr(PixSession) mixed = pix_session_new(model, &options, NULL);
    for (guint i = 0; i < PICTURES; i++) {
        double squares = 0;
        assert_true(calibration_set_read(set, i, x, NULL));
        assert_true(pix_session_forward(wide, x, exact, NULL));
        assert_true(pix_session_forward(mixed, x, y, NULL));
        for (int v = 0; v < VALUES; v++)
            squares += pow((double)y[v] - exact[v], 2);
        worst = MAX(worst, squares / VALUES);
    }
    return 10 * log10(4 / worst);
}

/* Not all layers can be narrow and keep so many dB, some can, and the figure is true. */
static void test_figure(void **state)
{
    g_auto(Calibrated) found = {0};
    g_autoptr(PixCheckpoint) checkpoint = open_file();
    g_autoptr(PixModel) model = load(checkpoint);
    g_autoptr(CalibrationSet) set = open_set(model, "inputs");

    assert_true(calibrate(model, checkpoint, set, 50, &found, NULL));
    assert_null(pix_checkpoint_get_info(checkpoint)->mix);
    assert_reduced(&found, 1);
    assert_int_equal(found.n, N);
    assert_string_equal(found.names[0], "model.model.0");
    assert_int_equal(found.pictures, PICTURES);
    assert_true(found.psnr > 50);
    assert_float_equal(found.psnr, measure_psnr(model, set, found.mix), 1e-6);
    assert_true(found.exact_network_ms == 3 * N && found.mix_network_ms < 3 * N);
    for (int i = 0; i < N; i++)
        assert_true(found.exact_ms[i] == 3 && found.mix_ms[i] == world.ms[found.mix[i]]);
}

/* Next to nothing to keep, and nearly everything. */
static void test_bound(void **state)
{
    g_auto(Calibrated) found = {0};

    assert_true(run(1, "inputs", &found, NULL));
    assert_reduced(&found, N / 2);
    assert_nothing_found(100);
}

static void test_nothing_is_faster(void **state)
{
    world.ms[PIX_PRECISION_BF16] = world.ms[PIX_PRECISION_INT8] = 3;
    assert_nothing_found(10);
    world.ms[PIX_PRECISION_BF16] = world.ms[PIX_PRECISION_INT8] = 4;
    assert_nothing_found(10);
}

/* What AUTO would not do is not chosen, however fast it is. */
static void test_what_auto_does(void **state)
{
    g_auto(Calibrated) found = {0};

    world.follows[PIX_PRECISION_BF16] = 1 << 1 | 1 << 2;
    world.follows[PIX_PRECISION_INT8] = 1 << 2 | 1 << 5;
    assert_true(run(1, "inputs", &found, NULL));
    for (int i = 0; i < N; i++)
        assert_int_equal(found.mix[i], i == 1             ? PIX_PRECISION_BF16
                                       : i == 2 || i == 5 ? PIX_PRECISION_INT8
                                                          : PIX_PRECISION_FP32);
}

static void test_auto_does_nothing(void **state)
{
    world.follows[PIX_PRECISION_BF16] = world.follows[PIX_PRECISION_INT8] = 0;
    assert_nothing_found(1);
}

/* Layers that are faster by themselves, and a network that is not. */
static void test_the_mix_is_slower(void **state)
{
    world.mixing = 100;
    assert_nothing_found(50);
}

/* Header and end are as they should be, and what is between is not. */
static void test_broken_picture(void **state)
{
    g_auto(Calibrated) found = {0};
    g_autoptr(PixCheckpoint) checkpoint = open_file();
    g_autoptr(PixModel) model = load(checkpoint);
    g_autoptr(CalibrationSet) set = open_set(model, "worn");
    g_autofree char *bytes = NULL;
    GError *error = NULL;
    gsize n;

    assert_true(g_file_get_contents("worn/2.png", &bytes, &n, NULL));
    bytes[n / 2] ^= 0x55;
    sample_bytes("worn/2.png", bytes, n);
    assert_false(calibrate(model, checkpoint, set, 40, &found, &error));
    assert_error(&error, "worn/2.png", "");
    assert_int_equal(world.timed, 0);
}

static void test_overflow(void **state)
{
    g_auto(Calibrated) found = {0};
    GError *error = NULL;

    world.overflows = TRUE;
    assert_false(run(40, "inputs", &found, &error));
    assert_error(&error, "inputs/0.png", "overflow");
}

/* As on a CPU that has instructions for all of them, and gains by them everywhere. */
static int setup(void **state)
{
    world = (World){
        .ms = {[PIX_PRECISION_FP32] = 3, [PIX_PRECISION_BF16] = 2, [PIX_PRECISION_INT8] = 1},
        .follows = {[PIX_PRECISION_BF16] = ~0u, [PIX_PRECISION_INT8] = ~0u}};
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_figure, setup),
        cmocka_unit_test_setup(test_bound, setup),
        cmocka_unit_test_setup(test_nothing_is_faster, setup),
        cmocka_unit_test_setup(test_what_auto_does, setup),
        cmocka_unit_test_setup(test_auto_does_nothing, setup),
        cmocka_unit_test_setup(test_the_mix_is_slower, setup),
        cmocka_unit_test_setup(test_broken_picture, setup),
        cmocka_unit_test_setup(test_overflow, setup),
    };
    return cmocka_run_group_tests_name("calibrate", tests, sample_setup, sample_teardown);
}
