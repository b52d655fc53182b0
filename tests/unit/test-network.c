/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Networks that train: how they start, what adds up and what does not, and that a saved state is the
 * whole of it. What they compute is held against PyTorch in tests/golden/training.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <pix2pix/pix-train.h>

#include "compare.h"
#include "init.h"

static const PixAdam adam = {2e-3, 0.5, 0.999, 1e-8, 1};

static PixNetwork *network_of(PixDevice *device, const char *architecture)
{
    PixNetworkOptions options = {architecture, "batch", 3, 3, 4, FALSE};
    GError *error = NULL;
    if (!g_str_has_prefix(architecture, "unet"))
        options.out_channels = 1;
    PixNetwork *network = pix_network_new(device, &options, &error);
    assert_null(error);
    assert_true(pix_network_init(network, PIX_INIT_NORMAL, 0.1, 7, &error));
    return network;
}

/* One forward and backward pass towards the input itself, which is drawn from @seed. */
static double run_pass(PixNetwork *network, guint32 seed)
{
    PixDevice *device = pix_model_get_device(pix_network_get_model(network));
    g_autoptr(PixPass) pass = pix_pass_new(network, 2, 32, 32, 0, NULL);
    const int dims[4] = {2, 3, 32, 32};
    g_autoptr(PixMap) target = pix_map_new(device, dims, NULL);
    g_autofree float *values = g_new(float, 2 * 3 * 32 * 32);
    g_autoptr(PixFigures) figures = pix_figures_new(device, 1, NULL);
    double loss;
    compare_fill(values, 2 * 3 * 32 * 32, 1, seed);
    assert_true(pix_map_write(target, values, NULL));
    assert_true(pix_map_write(pix_pass_get_input(pass), values, NULL));
    assert_true(pix_pass_forward(pass, 1, seed, NULL));
    pix_loss_l2(pix_pass_get_output(pass), target, 1, pix_pass_get_output_gradient(pass), FALSE,
                figures, 0);
    assert_true(pix_pass_backward(pass, PIX_BACKWARD_PARAMETERS, NULL));
    assert_true(pix_figures_read(figures, &loss, NULL));
    return loss;
}

static GArray *values_of(PixNetwork *network, PixValues what)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(float));
    for (guint i = 0; i < pix_network_get_n_tensors(network); i++) {
        int rank, dims[4];
        pix_network_get_tensor(network, i, &rank, dims);
        guint count = (guint)(dims[0] * dims[1] * dims[2] * dims[3]), first = all->len;
        g_array_set_size(all, first + count);
        assert_true(pix_network_read(network, what, i, &g_array_index(all, float, first), NULL));
    }
    return all;
}

static bool same_values(PixNetwork *a, PixNetwork *b)
{
    g_autoptr(GArray) x = values_of(a, PIX_VALUES_WEIGHTS), y = values_of(b, PIX_VALUES_WEIGHTS);
    return x->len == y->len && memcmp(x->data, y->data, x->len * sizeof(float)) == 0;
}

/* ---- initialisation ---- */

static double deviation_of(const float *values, size_t count, double *mean)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)values[i];
        squares += (double)values[i] * (double)values[i];
    }
    *mean = sum / (double)count;
    return sqrt(squares / (double)count - *mean * *mean);
}

static void test_init(void **state)
{
    /* 32 channels to 64: torch's fan_in is 32 * 16 for conv, 64 * 16 for deconv. */
    PixParam conv = {
        .op = {.kind = PIX_OP_CONV}, .slot = PIX_SLOT_WEIGHT, .rank = 4, .dims = {64, 32, 4, 4}};
    PixParam deconv = conv;
    deconv.op.kind = PIX_OP_DECONV;
    deconv.dims[0] = 32;
    deconv.dims[1] = 64;
    const struct {
        const PixParam *param;
        PixInit init;
        double gain, expected;
    } cases[] = {
        {&conv, PIX_INIT_NORMAL, 0.02, 0.02},
        {&conv, PIX_INIT_XAVIER, 0.5, 0.5 * sqrt(2.0 / (32 * 16 + 64 * 16))},
        {&conv, PIX_INIT_KAIMING, 0.02, sqrt(2.0 / (32 * 16))},
        {&deconv, PIX_INIT_KAIMING, 0.02, sqrt(2.0 / (64 * 16))},
        {&conv, PIX_INIT_ORTHOGONAL, 3, 3 / sqrt(32 * 16)},
    };
    size_t count = pix_param_count(&conv);
    g_autofree float *values = g_new(float, count), *other = g_new(float, count);
    double mean;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        pix_init_values(cases[i].param, cases[i].init, cases[i].gain, 3, 1, values);
        double deviation = deviation_of(values, count, &mean);
        assert_true(fabs(deviation / cases[i].expected - 1) < 0.02);
        assert_true(fabs(mean) < 0.02 * cases[i].expected);
        pix_init_values(cases[i].param, cases[i].init, cases[i].gain, 3, 2, other);
        assert_true(memcmp(values, other, count * sizeof *values) != 0);
    }
    PixParam gamma = {.slot = PIX_SLOT_GAMMA, .rank = 1, .dims = {4096, 1, 1, 1}};
    pix_init_values(&gamma, PIX_INIT_XAVIER, 0.02, 3, 1, values);
    assert_true(fabs(deviation_of(values, 4096, &mean) - 0.02) < 1e-3 && fabs(mean - 1) < 2e-3);
}

static void test_orthogonal(void **state)
{
    static const int shapes[][2] = {{8, 3}, {3, 8}, {40, 1}};
    for (size_t s = 0; s < G_N_ELEMENTS(shapes); s++) {
        PixParam param = {.op = {.kind = PIX_OP_CONV},
                          .slot = PIX_SLOT_WEIGHT,
                          .rank = 4,
                          .dims = {shapes[s][0], shapes[s][1], 2, 3}};
        int rows = shapes[s][0], columns = shapes[s][1] * 6;
        g_autofree float *w = g_new(float, rows *columns);
        pix_init_values(&param, PIX_INIT_ORTHOGONAL, 2, 1, 1, w);
        bool wide = rows <= columns;
        for (int i = 0; i < MIN(rows, columns); i++)
            for (int j = 0; j <= i; j++) {
                double sum = 0;
                for (int k = 0; k < MAX(rows, columns); k++)
                    sum += (double)(wide ? w[i * columns + k] : w[k * columns + i]) *
                           (double)(wide ? w[j * columns + k] : w[k * columns + j]);
                assert_true(fabs(sum - (i == j ? 4 : 0)) < 1e-5);
            }
    }
}

/* ---- gradients and steps ---- */

static void test_gradients_add(void **state)
{
    g_autoptr(PixDevice) device = pix_device_open("cpu", 2, NULL);
    g_autoptr(PixNetwork) network = network_of(device, "unet_32");
    run_pass(network, 1);
    g_autoptr(GArray) first = values_of(network, PIX_VALUES_GRADIENTS);
    run_pass(network, 1);
    g_autoptr(GArray) both = values_of(network, PIX_VALUES_GRADIENTS);
    pix_network_clear_gradients(network);
    run_pass(network, 1);
    g_autoptr(GArray) again = values_of(network, PIX_VALUES_GRADIENTS);
    double squares = 0;
    for (guint i = 0; i < first->len; i++) {
        float x = g_array_index(first, float, i);
        squares += (double)x * (double)x;
        assert_true(fabsf(g_array_index(both, float, i) - 2 * x) <= 1e-5f * (fabsf(x) + 1e-3f));
        assert_true(g_array_index(again, float, i) == x);
    }
    double norm;
    assert_true(pix_network_get_gradient_norm(network, &norm, NULL));
    assert_true(squares > 0 && fabs(norm / sqrt(squares) - 1) < 1e-6);
}

static void test_learns(void **state)
{
    g_autoptr(PixDevice) device = pix_device_open("cpu", 2, NULL);
    g_autoptr(PixNetwork) network = network_of(device, "unet_32");
    double first = run_pass(network, 1), last = 0;
    for (int i = 0; i < 60; i++) {
        pix_network_adam(network, &adam);
        pix_network_clear_gradients(network);
        last = run_pass(network, 1);
    }
    assert_true(last < 0.75 * first);
    assert_int_equal(pix_network_get_steps(network), 60);
}

static void translate(PixSession *session, guint8 *to)
{
    guint8 pixels[32 * 32 * 3];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (guint8)(i * 37);
    PixImage in = {pixels, 32 * 3, 32, 32, 3, 3, {0, 1, 2}}, out = in;
    out.data = to;
    assert_true(pix_session_translate(session, &in, &out, NULL));
}

static PixSession *session_of(PixNetwork *network)
{
    PixSessionOptions options;
    pix_session_options_init(&options, pix_network_get_model(network));
    options.width = options.height = 32;
    PixSession *session = pix_session_new(pix_network_get_model(network), &options, NULL);
    assert_non_null(session);
    return session;
}

/* A session that was there before a step does what one does that was made after it. */
static void test_sessions_follow(void **state)
{
    g_setenv("PIX2PIX_CPU", "c,winograd-2x2", TRUE); /* whose weights are not read as they are */
    g_autoptr(PixDevice) device = pix_device_open("cpu", 1, NULL);
    g_unsetenv("PIX2PIX_CPU");
    PixNetworkOptions options = {"unet_32", "batch", 3, 3, 16, FALSE};
    g_autoptr(PixNetwork) network = pix_network_new(device, &options, NULL);
    assert_true(pix_network_init(network, PIX_INIT_NORMAL, 0.1, 7, NULL));
    guint8 first[32 * 32 * 3], old[sizeof first], young[sizeof first];
    g_autoptr(PixSession) session = session_of(network);
    translate(session, first);
    run_pass(network, 1);
    pix_network_adam(network, &adam);
    translate(session, old);
    g_autoptr(PixSession) fresh = session_of(network);
    translate(fresh, young);
    assert_memory_equal(old, young, sizeof old);
    assert_memory_not_equal(old, first, sizeof old);
}

static void test_threads(void **state)
{
    PixNetwork *networks[3];
    for (unsigned i = 0; i < 3; i++) {
        g_autoptr(PixDevice) device = pix_device_open("cpu", i + 1, NULL);
        networks[i] = network_of(device, "unet_32");
        for (guint32 step = 0; step < 3; step++) {
            pix_network_clear_gradients(networks[i]);
            run_pass(networks[i], step);
            pix_network_adam(networks[i], &adam);
        }
        assert_true(same_values(networks[0], networks[i]));
    }
    for (int i = 0; i < 3; i++)
        pix_network_free(networks[i]);
}

static void test_average(void **state)
{
    g_autoptr(PixDevice) device = pix_device_open("cpu", 1, NULL);
    g_autoptr(PixNetwork) network = network_of(device, "patchgan_1");
    g_autofree char *file = g_build_filename(g_get_tmp_dir(), "pix-average-XXXXXX", NULL);
    int fd = g_mkstemp(file);
    assert_true(fd >= 0 && g_close(fd, NULL));
    g_autoptr(GArray) before = values_of(network, PIX_VALUES_WEIGHTS);
    assert_true(pix_network_average(network, 0.75, NULL));
    g_autoptr(PixPass) pass = pix_pass_new(network, 1, 32, 32, 0, NULL);
    g_autofree float *x = g_new0(float, 3 * 32 * 32);
    g_autoptr(PixFigures) figures = pix_figures_new(device, 1, NULL);
    compare_fill(x, 3 * 32 * 32, 1, 1);
    assert_true(pix_map_write(pix_pass_get_input(pass), x, NULL));
    assert_true(pix_pass_forward(pass, 0, 0, NULL));
    pix_loss_gan(PIX_GAN_LSGAN, PIX_GAN_REAL, pix_pass_get_output(pass), 1,
                 pix_pass_get_output_gradient(pass), FALSE, figures, 0);
    assert_true(pix_pass_backward(pass, PIX_BACKWARD_PARAMETERS, NULL));
    pix_network_adam(network, &adam);
    assert_true(pix_network_average(network, 0.75, NULL));
    g_autoptr(GArray) after = values_of(network, PIX_VALUES_WEIGHTS);
    GError *error = NULL;
    assert_true(pix_network_save(network, file, 32, 32, PIX_STATISTICS_FRAME, TRUE, &error));
    g_autoptr(PixCheckpoint) checkpoint = pix_checkpoint_open(file, NULL, &error);
    g_autoptr(PixNetwork) average = pix_network_open(device, checkpoint, &error);
    assert_null(error);
    g_autoptr(GArray) found = values_of(average, PIX_VALUES_WEIGHTS);
    bool moved = false;
    for (guint i = 0; i < 4 * 3 * 16 + 4; i++) { /* the first layer: no running statistics */
        float a = g_array_index(before, float, i), b = g_array_index(after, float, i);
        moved |= a != b;
        assert_true(fabsf(g_array_index(found, float, i) - (0.75f * a + 0.25f * b)) < 1e-6f);
    }
    assert_true(moved);
    g_unlink(file);
}

static void test_not_finite(void **state)
{
    g_autoptr(PixDevice) device = pix_device_open("cpu", 2, NULL);
    g_autoptr(PixNetwork) network = network_of(device, "unet_32");
    PixAdam wild = adam;
    wild.learning_rate = 1e38;
    for (int i = 0; i < 3; i++) {
        pix_network_clear_gradients(network);
        run_pass(network, 1);
        pix_network_adam(network, &wild);
    }
    pix_network_clear_gradients(network);
    run_pass(network, 1);
    double norm;
    GError *error = NULL;
    assert_false(pix_network_get_gradient_norm(network, &norm, &error));
    assert_non_null(strstr(error->message, "model.model"));
    g_clear_error(&error);
    g_autofree char *file = g_build_filename(g_get_tmp_dir(), "pix-not-finite", NULL);
    assert_false(pix_network_save(network, file, 32, 32, PIX_STATISTICS_FRAME, FALSE, &error));
    assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
    g_clear_error(&error);
}

/* ---- the state ---- */

static GHashTable *some_metadata(void)
{
    GHashTable *metadata = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_insert(metadata, "step", "2");
    return metadata;
}

static void test_state(void **state)
{
    g_autoptr(PixDevice) device = pix_device_open("cpu", 2, NULL);
    g_autoptr(PixNetwork) a = network_of(device, "unet_32"), b = network_of(device, "unet_32");
    g_autoptr(GHashTable) metadata = some_metadata();
    g_autofree char *file = g_build_filename(g_get_tmp_dir(), "pix-state-XXXXXX", NULL);
    int fd = g_mkstemp(file);
    assert_true(fd >= 0 && g_close(fd, NULL));
    PixStateNetwork in_a = {"G", a}, in_b = {"G", b};
    GError *error = NULL;
    for (guint32 step = 0; step < 4; step++) {
        pix_network_clear_gradients(a);
        run_pass(a, step);
        pix_network_adam(a, &adam);
        assert_true(pix_network_average(a, 0.9, NULL));
        if (step == 1)
            assert_true(pix_state_save(file, &in_a, 1, metadata, &error));
    }
    g_autoptr(GHashTable) found = pix_state_open(file, &error);
    assert_null(error);
    assert_string_equal(g_hash_table_lookup(found, "step"), "2");
    assert_true(pix_state_load(file, &in_b, 1, &error));
    assert_int_equal(pix_network_get_steps(b), 2);
    for (guint32 step = 2; step < 4; step++) {
        run_pass(b, step);
        pix_network_adam(b, &adam);
        assert_true(pix_network_average(b, 0.9, NULL));
        pix_network_clear_gradients(b);
    }
    assert_true(same_values(a, b));
    /* The moving average too: both files are a function of it. */
    g_autofree char *file_a = g_strconcat(file, "-a", NULL),
                    *file_b = g_strconcat(file, "-b", NULL);
    assert_true(pix_state_save(file_a, &in_a, 1, metadata, &error));
    assert_true(pix_state_save(file_b, &in_b, 1, metadata, &error));
    g_autofree char *bytes_a = NULL, *bytes_b = NULL;
    gsize size_a, size_b;
    assert_true(g_file_get_contents(file_a, &bytes_a, &size_a, NULL));
    assert_true(g_file_get_contents(file_b, &bytes_b, &size_b, NULL));
    assert_true(size_a == size_b && memcmp(bytes_a, bytes_b, size_a) == 0);
    assert_true(size_a > pix_state_get_bytes(&in_a, 1));
    g_unlink(file);
    g_unlink(file_a);
    g_unlink(file_b);
}

static void test_damaged_state(void **state)
{
    g_autoptr(PixDevice) device = pix_device_open("cpu", 1, NULL);
    g_autoptr(PixNetwork) network = network_of(device, "patchgan_1");
    g_autoptr(PixNetwork) other = network_of(device, "patchgan_2");
    g_autoptr(GHashTable) metadata = some_metadata();
    g_autofree char *file = g_build_filename(g_get_tmp_dir(), "pix-damaged-XXXXXX", NULL);
    g_autofree char *bytes = NULL;
    gsize size;
    GError *error = NULL;
    int fd = g_mkstemp(file);
    assert_true(fd >= 0 && g_close(fd, NULL));
    PixStateNetwork in = {"D", network}, another = {"D", other}, misnamed = {"G", network};
    assert_true(pix_state_save(file, &in, 1, metadata, &error));
    assert_false(pix_state_load(file, &another, 1, &error));
    assert_non_null(strstr(error->message, "model."));
    g_clear_error(&error);
    assert_false(pix_state_load(file, &misnamed, 1, &error));
    g_clear_error(&error);
    assert_true(g_file_get_contents(file, &bytes, &size, NULL));
    for (gsize i = 0; i < 100; i++) {
        gsize at = i * (size - 1) / 99;
        bytes[at] ^= 0x10;
        assert_true(g_file_set_contents(file, bytes, (gssize)size, NULL));
        assert_null(pix_state_open(file, &error));
        assert_true(g_str_has_prefix(error->message, file));
        g_clear_error(&error);
        bytes[at] ^= 0x10;
        assert_true(g_file_set_contents(file, bytes, (gssize)(i * size / 100), NULL));
        assert_null(pix_state_open(file, &error));
        g_clear_error(&error);
    }
    g_unlink(file);
}

static void test_set_dropout(void **state)
{
    g_autoptr(PixDevice) device = pix_device_open("cpu", 1, NULL);
    PixNetworkOptions options = {"resnet_1blocks", "instance", 3, 3, 2, TRUE};
    g_autoptr(PixNetwork) network = pix_network_new(device, &options, NULL);
    int rank, dims[4];
    /* Behind a dropout layer the published names count on. */
    assert_string_equal(pix_network_get_tensor(network, 8, &rank, dims),
                        "model.10.conv_block.6.weight");
    assert_true(pix_network_init(network, PIX_INIT_NORMAL, 0.1, 1, NULL));
    g_autoptr(GArray) before = values_of(network, PIX_VALUES_WEIGHTS);
    pix_network_set_dropout(network, FALSE);
    assert_false(pix_network_get_info(network)->has_dropout);
    assert_false(pix_network_get_options(network)->dropout);
    assert_string_equal(pix_network_get_tensor(network, 8, &rank, dims),
                        "model.10.conv_block.5.weight");
    g_autoptr(GArray) after = values_of(network, PIX_VALUES_WEIGHTS);
    assert_true(memcmp(before->data, after->data, before->len * sizeof(float)) == 0);
    pix_network_set_dropout(network, TRUE);
    assert_true(pix_network_get_info(network)->has_dropout);
    assert_true(pix_network_get_options(network)->dropout);
    assert_string_equal(pix_network_get_tensor(network, 8, &rank, dims),
                        "model.10.conv_block.6.weight");
}

static void test_refusals(void **state)
{
    static const PixNetworkOptions bad[] = {
        {"unet_100", "batch", 3, 3, 8, TRUE}, {"unet_256x", "batch", 3, 3, 8, TRUE},
        {"unet_2", "batch", 3, 3, 8, TRUE},   {"patchgan_0", "batch", 3, 1, 8, FALSE},
        {"u-net", "batch", 3, 3, 8, TRUE},    {"unet_256", "group", 3, 3, 8, TRUE},
        {"unet_256", "batch", 0, 3, 8, TRUE}, {"unet_256", "batch", 3, 3, 100000, TRUE},
    };
    g_autoptr(PixDevice) device = pix_device_open("cpu", 1, NULL);
    GError *error = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        assert_null(pix_network_new(device, &bad[i], &error));
        assert_true(g_error_matches(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED));
        g_clear_error(&error);
    }
    g_autoptr(PixNetwork) network = network_of(device, "unet_32");
    assert_null(pix_pass_new(network, 1, 33, 32, 0, &error));
    assert_true(g_error_matches(error, PIX_ERROR, PIX_ERROR_BAD_SHAPE));
    g_clear_error(&error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init),          cmocka_unit_test(test_orthogonal),
        cmocka_unit_test(test_gradients_add), cmocka_unit_test(test_learns),
        cmocka_unit_test(test_threads),       cmocka_unit_test(test_average),
        cmocka_unit_test(test_not_finite),    cmocka_unit_test(test_state),
        cmocka_unit_test(test_damaged_state), cmocka_unit_test(test_set_dropout),
        cmocka_unit_test(test_refusals),      cmocka_unit_test(test_sessions_follow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
