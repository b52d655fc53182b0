/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Steps of training on a GPU: recorded once, submitted in pieces, waited for once; the same bits each
 * time.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <pix2pix/pix-train.h>

#include "compare.h"
#include "network.h"
#include "vk-device.h"

#define SIDE 32
#define VALUES (3 * SIDE * SIDE)

typedef struct {
    PixDevice *device;
    PixNetwork *network;
    PixPass *pass;
    PixMap *target;
    PixFigures *figures; /* the loss, and the squares of the gradients */
} Learner;

static Learner learner_new(PixDevice *device)
{
    const PixNetworkOptions options = {"unet_32", "batch", 3, 3, 4, TRUE};
    const int dims[4] = {1, 3, SIDE, SIDE};
    Learner l = {.device = device};
    l.network = pix_network_new(device, &options, NULL);
    assert_true(pix_network_init(l.network, PIX_INIT_NORMAL, 0.1, 7, NULL));
    l.pass = pix_pass_new(l.network, 1, SIDE, SIDE, PIX_PASS_DROPOUT, NULL);
    l.target = pix_map_new(device, dims, NULL);
    l.figures = pix_figures_new(device, 2, NULL);
    assert_true(l.pass && l.target && l.figures);
    return l;
}

static void learner_clear(Learner *l)
{
    pix_figures_free(l->figures);
    pix_map_free(l->target);
    pix_pass_free(l->pass);
    pix_network_free(l->network);
}

/* All that a step of training asks for, at once. Returns: the loss. */
static double run_step(Learner *l, guint32 number)
{
    const PixAdam adam = {2e-3 / number, 0.5, 0.999, 1e-8, 1, l->figures, 0.1, 1};
    float values[VALUES];
    double found[2];
    compare_fill(values, VALUES, 1, number);
    assert_true(pix_map_write(pix_pass_get_input(l->pass), values, NULL));
    assert_true(pix_map_write(l->target, values, NULL));
    pix_network_clear_gradients(l->network);
    assert_true(pix_pass_forward(l->pass, 1, number, NULL));
    pix_loss_l1(pix_pass_get_output(l->pass), l->target, 1, pix_pass_get_output_gradient(l->pass),
                FALSE, l->figures, 0);
    assert_true(pix_pass_backward(l->pass, PIX_BACKWARD_PARAMETERS, NULL));
    pix_network_sum_squares(l->network, l->figures, 1);
    pix_network_adam(l->network, &adam);
    assert_true(pix_network_average(l->network, 0.9, NULL));
    assert_true(pix_figures_read(l->figures, found, NULL));
    return found[0];
}

static VulkanTraceCounts count(PixDevice *device)
{
    return vk_traces_count(vk_device(device)->once);
}

static void test_recorded_once(void **state)
{
    Learner l = learner_new(*state);
    VulkanTraceCounts before = {0}, last = {0};
    for (guint32 number = 1; number <= 6; number++) {
        before = count(l.device);
        run_step(&l, number);
        VulkanTraceCounts after = count(l.device);
        if (number < 3)
            continue;
        assert_int_equal(after.recordings, before.recordings);
        assert_int_equal(after.waits, before.waits + 1);
        assert_true(number == 3 || after.submissions - before.submissions == last.submissions);
        last.submissions = after.submissions - before.submissions;
    }
    assert_true(last.submissions > 1); /* else nothing has been cut */
    learner_clear(&l);
}

static float *weights_of(PixNetwork *network)
{
    size_t bytes = pix_network_get_info(network)->weight_bytes, at = 0;
    float *all = g_malloc0(bytes);
    for (guint i = 0; i < pix_network_get_n_tensors(network); i++) {
        int rank, dims[4];
        pix_network_get_tensor(network, i, &rank, dims);
        assert_true(pix_network_read(network, PIX_VALUES_WEIGHTS, i, all + at, NULL));
        at += (size_t)dims[0] * (size_t)dims[1] * (size_t)dims[2] * (size_t)dims[3];
    }
    assert_true(at * sizeof *all <= bytes);
    return all;
}

/* Side by side, so that what belongs to one step of either is found by chance only. */
static void test_same_bits(void **state)
{
    Learner a = learner_new(*state), b = learner_new(*state);
    double alone[4];
    for (guint32 number = 1; number <= 4; number++)
        alone[number - 1] = run_step(&a, number);
    for (guint32 number = 1; number <= 4; number++)
        assert_true(run_step(&b, number) == alone[number - 1]);
    g_autofree float *x = weights_of(a.network), *y = weights_of(b.network);
    assert_memory_equal(x, y, pix_network_get_info(a.network)->weight_bytes);
    learner_clear(&a);
    learner_clear(&b);
}

/* What nobody reads is dropped with its figures, and what it was to be made of. */
static void test_dropped(void **state)
{
    Learner l = learner_new(*state);
    double expected = run_step(&l, 1);
    PixFigures *figures = pix_figures_new(l.device, 1, NULL);
    pix_loss_l1(pix_pass_get_output(l.pass), l.target, 1, NULL, FALSE, figures, 0);
    pix_figures_free(figures);
    learner_clear(&l);
    l = learner_new(*state);
    assert_true(run_step(&l, 1) == expected);
    learner_clear(&l);
}

#define DROPOUTS 200 /* more than one recording has room for */
#define LAYERS 64    /* that repeat: what is asked for is again what has just been submitted */
#define FRAMES 3

static const PixShape drop_shape = {1, 8, 8, 8};

/* In one and the same map, for each of the frames. (transfer full): what is left of it. */
static float *drop(PixDevice *device)
{
    const PixBackend *backend = device->backend;
    size_t count = pix_shape_count(drop_shape);
    float *values = g_new(float, FRAMES *count);
    PixTensor map = {.shape = drop_shape, .c_whole = drop_shape.c};
    map.buffer = backend->buffer_new(
        device, backend->activation_bytes(device, drop_shape, PIX_DTYPE_F32), NULL);
    for (uint64_t number = 0; number < FRAMES; number++) {
        const PixFrame frame = {5, number + 1};
        float *part = values + number * count;
        compare_fill(part, count, 1, 1);
        assert_true(backend->write(device, &map, part, NULL));
        for (unsigned i = 0; i < DROPOUTS; i++) {
            const PixOp op = {.kind = PIX_OP_DROPOUT,
                              .dropout = {.rate = 0.005f, .layer = i % LAYERS}};
            const PixCall call = {.op = &op, .in = {map}, .out = map, .frame = &frame};
            pix_backend_forward(device, &call);
        }
        assert_true(backend->read(device, &map, part, NULL));
    }
    backend->buffer_free(device, map.buffer);
    return values;
}

static void test_many_dropouts(void **state)
{
    g_autoptr(PixDevice) cpu = pix_device_open("cpu", 1, NULL);
    g_autofree float *found = drop(*state), *expected = drop(cpu);
    for (size_t i = 0; i < FRAMES * pix_shape_count(drop_shape); i++)
        assert_true(fabsf(found[i] - expected[i]) <= 1e-4f * fabsf(expected[i]));
}

int main(void)
{
    g_autoptr(PixDevice) device = pix_device_open("vulkan", 1, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_recorded_once, device),
        cmocka_unit_test_prestate(test_same_bits, device),
        cmocka_unit_test_prestate(test_dropped, device),
        cmocka_unit_test_prestate(test_many_dropouts, device),
    };
    if (!device)
        return g_getenv("REQUIRE_VULKAN") ? 1 : 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
