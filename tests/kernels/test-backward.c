/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Both directions of every op but convolutions against tests/ref, over a table of shapes. Gradients
 * start as NaN or are added to, lie between other channels and between other tensors, and must
 * leave those alone. What an op says it does not keep is not there.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "compare.h"
#include "fenced.h"
#include "ref-backward.h"

/* float32 against double; a case that needs more says why. */
#define NMSE 1e-9
#define BESIDE 2

#define BIT(slot) (1u << (slot))
#define GAMMA BIT(PIX_SLOT_GAMMA)
#define AFFINE (GAMMA | BIT(PIX_SLOT_BETA))
#define RUNNING (BIT(PIX_SLOT_MEAN) | BIT(PIX_SLOT_VARIANCE))
#define RELU                                                                                       \
    {                                                                                              \
        PIX_ACTIVATION_RELU                                                                        \
    }
#define LEAKY                                                                                      \
    {                                                                                              \
        PIX_ACTIVATION_LEAKY_RELU, 0.2f                                                            \
    }
#define TANH                                                                                       \
    {                                                                                              \
        PIX_ACTIVATION_TANH                                                                        \
    }

#define NORM(k, ...)                                                                               \
    {                                                                                              \
        .kind = PIX_OP_NORM, .norm = {.kind = PIX_NORM_##k, .eps = 1e-5f, __VA_ARGS__ }            \
    }
#define NORM_TANGENT(k, ...)                                                                       \
    {                                                                                              \
        .kind = PIX_OP_NORM_TANGENT, .norm = {.kind = PIX_NORM_##k, .eps = 1e-5f, __VA_ARGS__ }    \
    }
#define ACTIVATION(f)                                                                              \
    {                                                                                              \
        .kind = PIX_OP_ACTIVATION, .activation = f                                                 \
    }
#define TWICE(...)                                                                                 \
    {                                                                                              \
        __VA_ARGS__, __VA_ARGS__                                                                   \
    }

typedef struct {
    const char *name;
    PixOp op;
    PixShape in[PIX_MAX_INPUTS];
    unsigned slots; /* bits of PixSlot that exist */
    float centre;   /* of x: what is normalised */
    double nmse;    /* 0 is NMSE */
} Case;

static const Case cases[] = {
    {"batch norm", NORM(BATCH), {{2, 19, 7, 9}}, AFFINE},
    {"batch norm of one channel", NORM(BATCH), {{2, 1, 5, 3}}, AFFINE},
    {"batch norm of 64 channels", NORM(BATCH), {{1, 64, 41, 43}}, AFFINE},
    {"batch norm of 512 channels", NORM(BATCH), {{1, 512, 2, 2}}, AFFINE},
    {"batch norm of one pixel", NORM(BATCH), {{1, 33, 1, 1}}, AFFINE},
    {"batch norm far from zero", NORM(BATCH), {{2, 5, 17, 19}}, AFFINE, 100},
    {"batch norm farther from zero", NORM(BATCH), {{1, 16, 32, 32}}, AFFINE, 400},
    {"batch norm far from zero, large", NORM(BATCH), {{2, 3, 90, 91}}, AFFINE, 100},
    {"batch norm of a map in many pieces", NORM(BATCH), {{1, 2, 300, 301}}, AFFINE},
    {"batch norm, relu", NORM(BATCH, .activation = RELU), {{2, 33, 6, 5}}, AFFINE},
    {"batch norm, leaky relu", NORM(BATCH, .activation = LEAKY), {{2, 64, 6, 5}}, AFFINE},
    {"batch norm, tanh", NORM(BATCH, .activation = TANH), {{3, 3, 6, 5}}, AFFINE},
    {"batch norm without parameters", NORM(BATCH, .activation = RELU), {{2, 5, 6, 5}}, 0},
    {"batch norm, running", NORM(BATCH, .running = true), {{2, 5, 6, 5}}, AFFINE | RUNNING},
    {"batch norm, running, leaky relu",
     NORM(BATCH, .running = true, .activation = LEAKY),
     {{2, 64, 13, 11}},
     AFFINE | RUNNING},
    {"instance norm", NORM(INSTANCE), {{3, 5, 70, 90}}, 0},
    {"instance norm, relu", NORM(INSTANCE, .activation = RELU), {{2, 33, 9, 11}}, 0},
    {"instance norm with parameters", NORM(INSTANCE), {{2, 64, 9, 11}}, AFFINE},
    {"instance norm with parameters, large", NORM(INSTANCE), {{2, 20, 41, 40}}, AFFINE},
    {"instance norm of one sample", NORM(INSTANCE), {{1, 3, 31, 1}}, AFFINE},

    {"relu", ACTIVATION(RELU), {{2, 3, 9, 7}}},
    {"leaky relu", ACTIVATION(LEAKY), {{2, 64, 9, 7}}},
    {"tanh", ACTIVATION(TANH), {{1, 3, 50, 70}}},
    {"no activation", ACTIVATION({PIX_ACTIVATION_NONE}), {{2, 1, 9, 7}}},

    {"dropout", {.kind = PIX_OP_DROPOUT, .dropout = {0.5f, 2, false}}, {{2, 5, 9, 15}}},
    {"dropout, many channels",
     {.kind = PIX_OP_DROPOUT, .dropout = {0.3f, 0, false}},
     {{1, 33, 3, 50}}},
    {"dropout, off", {.kind = PIX_OP_DROPOUT, .dropout = {0.5f, 2, true}}, {{2, 5, 9, 15}}},

    {"zero padding", {.kind = PIX_OP_PAD, .pad = {PIX_PAD_ZERO, 1, 2, 3, 0}}, {{2, 3, 4, 5}}},
    {"reflection", {.kind = PIX_OP_PAD, .pad = {PIX_PAD_REFLECT, 3, 2, 1, 4}}, {{2, 3, 4, 5}}},
    {"reflection, resnet",
     {.kind = PIX_OP_PAD, .pad = {PIX_PAD_REFLECT, 3, 3, 3, 3}},
     {{1, 64, 16, 17}}},
    {"reflection of all",
     {.kind = PIX_OP_PAD, .pad = {PIX_PAD_REFLECT, 2, 1, 2, 1}},
     {{2, 1, 3, 2}}},
    {"replication", {.kind = PIX_OP_PAD, .pad = {PIX_PAD_REPLICATE, 3, 7, 9, 4}}, {{1, 3, 1, 2}}},
    {"replication of some",
     {.kind = PIX_OP_PAD, .pad = {PIX_PAD_REPLICATE, 1, 0, 2, 3}},
     {{2, 33, 4, 5}}},

    {"concatenation", {.kind = PIX_OP_CONCAT}, {{2, 3, 8, 5}, {2, 6, 8, 5}}},
    {"concatenation, unet", {.kind = PIX_OP_CONCAT}, {{1, 64, 16, 16}, {1, 64, 16, 16}}},
    {"addition", {.kind = PIX_OP_ADD}, TWICE({2, 130, 8, 15})},
    {"upsampling", {.kind = PIX_OP_UPSAMPLE, .factor = 2}, {{2, 3, 5, 7}}},
    {"upsampling by 3", {.kind = PIX_OP_UPSAMPLE, .factor = 3}, {{1, 33, 5, 7}}},

    {"tangent of relu",
     {.kind = PIX_OP_ACTIVATION_TANGENT, .activation = RELU},
     TWICE({2, 3, 9, 7})},
    {"tangent of leaky relu",
     {.kind = PIX_OP_ACTIVATION_TANGENT, .activation = LEAKY},
     TWICE({2, 64, 9, 7})},
    {"tangent of batch norm", NORM_TANGENT(BATCH), TWICE({2, 19, 7, 9}), GAMMA},
    {"tangent of batch norm, large", NORM_TANGENT(BATCH), TWICE({1, 64, 41, 43}), GAMMA},
    {"tangent of batch norm, running", NORM_TANGENT(BATCH, .running = true), TWICE({2, 5, 7, 9}),
     GAMMA | RUNNING},
    {"tangent of instance norm", NORM_TANGENT(INSTANCE), TWICE({3, 33, 9, 11}), 0},
    {"tangent of instance norm, large", NORM_TANGENT(INSTANCE), TWICE({2, 20, 41, 43}), GAMMA},
    {"tangent of instance norm with parameters", NORM_TANGENT(INSTANCE), TWICE({2, 1, 9, 11}),
     GAMMA},
};

/* What a run wants of backward. */
typedef enum { OVERWRITE, ADD, IN_PLACE, NO_DIN, NO_DPARAM, WAYS } Way;
static const char *const ways[] = {"overwrite", "add", "in place", "parameters only",
                                   "inputs only"};

/* A case on a device and in the specification. */
typedef struct {
    PixDevice *device;
    const Case *k;
    Way way;
    PixFrame frame;
    PixCall call;
    Fenced in[PIX_MAX_INPUTS], din[PIX_MAX_INPUTS], param[PIX_SLOT_COUNT], dparam[PIX_SLOT_COUNT];
    Fenced saved[PIX_MAX_SAVED], out, dout;
    RefCall ref;
    RefGradients gradients;
    GPtrArray *arrays; /* of doubles, to be freed */
} Run;

static double *keep(Run *run, size_t count)
{
    double *array = g_new0(double, count);
    g_ptr_array_add(run->arrays, array);
    return array;
}

/* Noise into @f; @copy: (out): the same numbers for the specification. */
static void write_noise(Run *run, const Fenced *f, float centre, guint32 seed, const double **copy)
{
    g_autofree float *values = g_new(float, f->count);
    double *numbers = keep(run, f->count);
    compare_fill(values, f->count, 1, seed);
    for (size_t i = 0; i < f->count; i++) {
        values[i] += centre;
        numbers[i] = (double)values[i];
    }
    fenced_write(run->device, f, values);
    *copy = numbers;
}

static Fenced noise(Run *run, PixShape shape, float centre, guint32 seed, const double **copy)
{
    Fenced f = fenced_new(run->device, shape, BESIDE);
    write_noise(run, &f, centre, seed, copy);
    return f;
}

/* Vectors of one call's parameters among @slots lie in one buffer. */
static void new_vectors(const Run *run, unsigned slots, Fenced row[PIX_SLOT_COUNT])
{
    PixShape shapes[PIX_SLOT_COUNT] = {{0}};
    for (int slot = 0; slot < PIX_SLOT_COUNT; slot++)
        if (slots & BIT(slot))
            shapes[slot] = (PixShape){1, run->k->in[0].c, 1, 1};
    fenced_new_row(run->device, shapes, PIX_SLOT_COUNT, row);
}

static void make_params(Run *run)
{
    new_vectors(run, run->k->slots, run->param);
    for (int slot = 0; slot < PIX_SLOT_COUNT; slot++)
        if (run->k->slots & BIT(slot)) {
            write_noise(run, &run->param[slot], slot == PIX_SLOT_VARIANCE ? 1.5f : 0,
                        70 + (guint)slot, &run->ref.param[slot]);
            run->call.param[slot] = run->param[slot].tensor;
        }
}

static void make_inputs(Run *run)
{
    bool tangent = run->k->op.kind == PIX_OP_NORM_TANGENT;
    for (int j = 0; j < pix_op_n_inputs(run->k->op.kind); j++) {
        float centre = j == (tangent ? 1 : 0) ? run->k->centre : 0;
        run->in[j] = noise(run, run->k->in[j], centre, 1 + (guint)j, &run->ref.x[j]);
        run->ref.shape[j] = run->k->in[j];
        run->call.in[j] = run->in[j].tensor;
    }
    PixShape saved[PIX_MAX_SAVED];
    for (int i = 0; i < PIX_MAX_SAVED; i++)
        saved[i] = pix_op_saved(&run->k->op, run->k->in[0], i);
    fenced_new_row(run->device, saved, PIX_MAX_SAVED, run->saved);
    for (int i = 0; i < PIX_MAX_SAVED; i++)
        run->call.saved[i] = run->saved[i].tensor;
}

static Run run_new(PixDevice *device, const Case *k, Way way)
{
    Run run = {.device = device, .k = k, .way = way, .frame = {.seed = 42, .number = 7}};
    run.arrays = g_ptr_array_new_with_free_func(g_free);
    run.call.op = run.ref.op = &k->op;
    run.ref.frame = run.frame;
    make_inputs(&run);
    make_params(&run);
    PixShape out;
    assert_true(pix_op_infer(&k->op, k->in, &out, NULL));
    run.out = fenced_new(device, out, BESIDE);
    run.call.out = run.out.tensor;
    run.dout = noise(&run, out, 0, 5, &run.gradients.dout);
    run.call.dout = run.dout.tensor;
    return run;
}

static void run_clear(Run *run)
{
    Fenced *all[] = {run->in, run->din, run->param, run->dparam, run->saved, &run->out, &run->dout};
    const int counts[] = {
        PIX_MAX_INPUTS, PIX_MAX_INPUTS, PIX_SLOT_COUNT, PIX_SLOT_COUNT, PIX_MAX_SAVED, 1, 1};
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        for (int j = 0; j < counts[i]; j++)
            fenced_clear(run->device, &all[i][j]);
    g_ptr_array_unref(run->arrays);
}

static void check_values(const Run *run, const char *what, const float *found,
                         const double *expected, size_t count)
{
    CompareError e = compare(found, expected, count);
    if (!e.finite || !(e.nmse <= (run->k->nmse > 0 ? run->k->nmse : NMSE)))
        fail_msg("%s, %s (%s, %s): NMSE %.2e, worst at %zu: %.9g instead of %.9g", run->k->name,
                 what, ways[run->way], run->device->info.features, e.nmse, e.worst,
                 (double)found[e.worst], expected[e.worst]);
}

static void check(const Run *run, const char *what, const Fenced *f, const double *expected)
{
    g_autofree float *found = fenced_read(run->device, f);
    check_values(run, what, found, expected, f->count);
}

static void with_scratch(Run *run, bool backward)
{
    const PixBackend *backend = run->device->backend;
    run->call.frame = &run->frame;
    run->call.scratch = backend->buffer_new(
        run->device, pix_backend_scratch(run->device, &run->call, backward), NULL);
    (backward ? pix_backend_backward : pix_backend_forward)(run->device, &run->call);
    backend->buffer_free(run->device, run->call.scratch);
    run->call.scratch = NULL;
}

static void check_forward(Run *run)
{
    double *y = keep(run, run->out.count);
    ref_forward(&run->ref, y);
    check(run, "out", &run->out, y);
    size_t count = run->saved[0].count;
    double *mean = keep(run, count), *rstd = keep(run, count);
    for (size_t i = 0; i < count; i++) {
        RefGroup group = ref_norm_group(&run->ref, (int)i);
        mean[i] = group.mean;
        rstd[i] = group.rstd;
    }
    if (count > 0) {
        check(run, "saved mean", &run->saved[0], mean);
        check(run, "saved rstd", &run->saved[1], rstd);
    }
}

/* What a gradient has before an addition; @expected: (out): for backward to fill. */
static void prepare_gradient(Run *run, const Fenced *f, guint32 seed, double **expected)
{
    const double *before;
    *expected = keep(run, f->count);
    if (run->way == ADD)
        write_noise(run, f, 0, seed, &before);
}

static void want_inputs(Run *run)
{
    PixCall *call = &run->call;
    for (int j = 0; j < pix_op_n_inputs(run->k->op.kind); j++) {
        run->din[j] = fenced_new(run->device, run->k->in[j], BESIDE);
        prepare_gradient(run, &run->din[j], 20 + (guint)j, &run->gradients.dx[j]);
        call->din[j] = run->din[j].tensor;
        call->din_adds[j] = run->way == ADD;
    }
    if (run->way != IN_PLACE)
        return;
    call->din[0] = call->dout;
    if (run->k->op.kind == PIX_OP_CONCAT) {
        call->din[1] = call->dout;
        call->din[0].shape.c = call->in[0].shape.c;
        call->din[1].shape.c = call->in[1].shape.c;
        call->din[1].c_first += call->in[0].shape.c;
    }
}

static void want_params(Run *run)
{
    new_vectors(run, run->k->slots & AFFINE, run->dparam);
    for (int slot = PIX_SLOT_GAMMA; slot <= PIX_SLOT_BETA; slot++)
        if (run->k->slots & BIT(slot)) {
            prepare_gradient(run, &run->dparam[slot], 30 + (guint)slot,
                             &run->gradients.dparam[slot]);
            run->call.dparam[slot] = run->dparam[slot].tensor;
        }
    run->call.dparam_adds = run->way == ADD;
}

static void want_gradients(Run *run)
{
    if (run->way != NO_DIN)
        want_inputs(run);
    if (run->way != NO_DPARAM)
        want_params(run);
}

static void forget(Run *run)
{
    for (int j = 0; j < PIX_MAX_INPUTS; j++)
        if (!pix_op_keeps_input(&run->k->op, j))
            run->call.in[j].buffer = NULL;
    if (!pix_op_keeps_output(&run->k->op))
        run->call.out.buffer = NULL;
}

/* All gradients in a row, as read from the device; their fences are looked at. */
static GArray *read_gradients(Run *run)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(float));
    for (int i = 0; i < PIX_MAX_INPUTS + PIX_SLOT_COUNT; i++) {
        const Fenced *f = i < PIX_MAX_INPUTS ? &run->din[i] : &run->dparam[i - PIX_MAX_INPUTS];
        PixTensor t = i < PIX_MAX_INPUTS ? run->call.din[i] : f->tensor;
        if (!t.buffer)
            continue;
        g_free(fenced_read(run->device, f));
        g_autofree float *values = g_new(float, f->count);
        assert_true(run->device->backend->read(run->device, &t, values, NULL));
        g_array_append_vals(all, values, (guint)f->count);
    }
    g_free(fenced_read(run->device, &run->dout));
    return all;
}

static void add_before(Run *run, double *expected, size_t count, guint32 seed)
{
    g_autofree float *before = g_new(float, count);
    compare_fill(before, count, 1, seed);
    for (size_t i = 0; i < count && run->way == ADD; i++)
        expected[i] += (double)before[i];
}

static void check_backward(Run *run, const GArray *found)
{
    const float *at = (const float *)found->data;
    ref_backward(&run->ref, &run->gradients);
    for (int i = 0; i < PIX_MAX_INPUTS + PIX_SLOT_COUNT; i++) {
        int slot = i - PIX_MAX_INPUTS;
        double *expected = slot < 0 ? run->gradients.dx[i] : run->gradients.dparam[slot];
        size_t count = slot < 0 ? run->din[i].count : run->dparam[slot].count;
        if (!expected)
            continue;
        add_before(run, expected, count, slot < 0 ? 20 + (guint)i : 30 + (guint)slot);
        check_values(run, slot < 0 ? (i == 0 ? "din 0" : "din 1") : "dparam", at, expected, count);
        at += count;
    }
    assert_ptr_equal(at, (const float *)found->data + found->len);
}

/* (transfer full): the gradients. */
static GArray *run_case(PixDevice *device, const Case *k, Way way)
{
    Run run = run_new(device, k, way);
    with_scratch(&run, false);
    check_forward(&run);
    want_gradients(&run);
    forget(&run);
    with_scratch(&run, true);
    GArray *found = read_gradients(&run);
    check_backward(&run, found);
    run_clear(&run);
    return found;
}

static bool can(const PixDevice *device, const Case *k, Way way)
{
    bool in_place = device->backend->rows[k->op.kind].backward_in_place;
    if (way == IN_PLACE)
        return in_place || k->op.kind == PIX_OP_CONCAT;
    return way == OVERWRITE || way == ADD || (k->slots & AFFINE);
}

static void test_ops(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (Way way = 0; way < WAYS; way++)
            if (can(*state, &cases[i], way))
                g_array_unref(run_case(*state, &cases[i], way));
}

/* The same bits for any number of threads. */
static void test_threads(void **state)
{
    g_autoptr(PixDevice) one = pix_device_open("cpu", 1, NULL);
    for (unsigned threads = 2; threads <= 3; threads++) {
        g_autoptr(PixDevice) many = pix_device_open("cpu", threads, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
            g_autoptr(GArray) expected = run_case(one, &cases[i], OVERWRITE);
            g_autoptr(GArray) found = run_case(many, &cases[i], OVERWRITE);
            assert_int_equal(found->len, expected->len);
            assert_memory_equal(found->data, expected->data, found->len * sizeof(float));
        }
    }
}

/* Forward in place, as inference plans it: tests/kernels/test-kernels.c has no tangents. */
static void test_tangents_in_place(void **state)
{
    PixDevice *device = *state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        PixOpKind kind = cases[i].op.kind;
        if (kind != PIX_OP_ACTIVATION_TANGENT && kind != PIX_OP_NORM_TANGENT)
            continue;
        assert_true(device->backend->rows[kind].in_place);
        Run run = run_new(device, &cases[i], OVERWRITE);
        double *y = keep(&run, run.out.count);
        ref_forward(&run.ref, y);
        run.call.out = run.call.in[0];
        with_scratch(&run, false);
        check(&run, "out, in place", &run.in[0], y);
        run_clear(&run);
    }
}

/* The same bits again, though a GPU's groups come in any order. */
static void test_twice(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GArray) once = run_case(*state, &cases[i], OVERWRITE);
        g_autoptr(GArray) again = run_case(*state, &cases[i], OVERWRITE);
        assert_memory_equal(again->data, once->data, once->len * sizeof(float));
    }
}

static const Case recorded = {
    "dropout, recorded", {.kind = PIX_OP_DROPOUT, .dropout = {0.5f, 2, false}}, {{2, 5, 9, 15}}};

/* A recording draws the masks of the frame that there is when it is submitted. */
static void test_recording(void **state)
{
    PixDevice *device = *state;
    const PixBackend *backend = device->backend;
    Run run = run_new(device, &recorded, OVERWRITE);
    run.call.frame = &run.frame;
    assert_true(backend->record(device, NULL));
    pix_backend_forward(device, &run.call);
    PixCommands *commands = backend->finish(device, NULL);
    for (uint64_t number = 0; number < 3; number++) {
        run.frame = run.ref.frame = (PixFrame){0x123456789abcdef, number << 31};
        assert_true(backend->submit(device, commands, NULL));
        assert_true(backend->wait(device, commands, NULL));
        check_forward(&run);
    }
    backend->commands_free(device, commands);
    run_clear(&run);
}

int main(void)
{
    static const char *const levels[] = {"c:1",      "openblas:2", "avx2:2",
                                         "avx512:3", "neon:2",     "vulkan"};
#define TEST(test, level)                                                                          \
    {                                                                                              \
#test ", " level, test, open_level, close_device, level                                    \
    }
    struct CMUnitTest tests[G_N_ELEMENTS(levels) + 5] = {cmocka_unit_test(test_threads),
                                                         TEST(test_tangents_in_place, "c:2")};
    size_t n = 2;
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
        if (has_level(levels[i]))
            tests[n++] = (struct CMUnitTest){levels[i], test_ops, open_level, close_device,
                                             (void *)levels[i]};
    if (has_level("vulkan")) {
        tests[n++] = (struct CMUnitTest)TEST(test_tangents_in_place, "vulkan");
        tests[n++] = (struct CMUnitTest)TEST(test_twice, "vulkan");
        tests[n++] = (struct CMUnitTest)TEST(test_recording, "vulkan");
    }
    return _cmocka_run_group_tests("backward", tests, n, NULL, NULL);
}
