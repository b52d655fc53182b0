/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The gradients of tests/ref, of which the backends' are copies, against central differences of its
 * forward direction: of sum(y * dout), element by element; of large tensors some elements.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ref-backward.h"
#include "ref-conv-backward.h"
#include "ref-learn.h"

/* Errors of a difference: h^2 times the third derivative, and 1e-16 / h. */
#define STEP 1e-5
/* Of the largest gradient of a tensor. */
#define TOLERANCE 1e-6
/* How far what goes into a relu stays away from 0: no step may get it across. */
#define KINK 2e-4
/* Of each tensor, and of each of a large op. */
#define MOST_ELEMENTS 60
#define FEW_ELEMENTS 12

#define BIT(slot) (1u << (slot))
#define WEIGHT BIT(PIX_SLOT_WEIGHT)
#define BIAS BIT(PIX_SLOT_BIAS)
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

#define OP(which, ...)                                                                             \
    {                                                                                              \
        .kind = PIX_OP_##which, __VA_ARGS__                                                        \
    }
#define NORM(k, ...) OP(NORM, .norm = {.kind = PIX_NORM_##k, .eps = 1e-5f, __VA_ARGS__})
#define NORM_TANGENT(k, ...)                                                                       \
    OP(NORM_TANGENT, .norm = {.kind = PIX_NORM_##k, .eps = 1e-5f, __VA_ARGS__})
#define CONV(which, out, k, s, p, ...)                                                             \
    OP(which, .conv = {.oc = out,                                                                  \
                       .kh = k,                                                                    \
                       .kw = k,                                                                    \
                       .sh = s,                                                                    \
                       .sw = s,                                                                    \
                       .pad = {PIX_PAD_ZERO, p, p, p, p},                                          \
                       __VA_ARGS__})
#define PAD(m, top, left, bottom, right) OP(PAD, .pad = {PIX_PAD_##m, top, left, bottom, right})
#define TWICE(...)                                                                                 \
    {                                                                                              \
        __VA_ARGS__, __VA_ARGS__                                                                   \
    }

typedef struct {
    const char *name;
    PixOp op;
    PixShape in[PIX_MAX_INPUTS];
    unsigned slots; /* bits of PixSlot that exist */
} Case;

static const Case cases[] = {
    {"batch norm", NORM(BATCH), {{2, 3, 3, 5}}, AFFINE},
    {"batch norm without parameters", NORM(BATCH), {{3, 2, 2, 2}}, 0},
    {"batch norm of one pixel", NORM(BATCH), {{1, 4, 1, 1}}, AFFINE},
    {"batch norm of a unet's bottleneck", NORM(BATCH), {{1, 512, 2, 2}}, AFFINE},
    {"batch norm, relu", NORM(BATCH, .activation = RELU), {{2, 3, 3, 5}}, AFFINE},
    {"batch norm, leaky relu, patchgan",
     NORM(BATCH, .activation = LEAKY),
     {{1, 256, 2, 3}},
     AFFINE},
    {"batch norm, tanh", NORM(BATCH, .activation = TANH), {{2, 3, 3, 5}}, AFFINE},
    {"batch norm, running", NORM(BATCH, .running = true), {{2, 3, 3, 5}}, AFFINE | RUNNING},
    {"batch norm, running, relu",
     NORM(BATCH, .running = true, .activation = RELU),
     {{2, 3, 3, 5}},
     AFFINE | RUNNING},
    {"instance norm", NORM(INSTANCE), {{3, 2, 4, 3}}, 0},
    {"instance norm with parameters, leaky relu",
     NORM(INSTANCE, .activation = LEAKY),
     {{2, 5, 4, 3}},
     AFFINE},
    {"instance norm, relu, resnet", NORM(INSTANCE, .activation = RELU), {{1, 256, 4, 4}}, 0},

    {"relu", OP(ACTIVATION, .activation = RELU), {{2, 3, 4, 5}}, 0},
    {"leaky relu", OP(ACTIVATION, .activation = LEAKY), {{2, 3, 4, 5}}, 0},
    {"tanh", OP(ACTIVATION, .activation = TANH), {{2, 3, 4, 5}}, 0},
    {"no activation", OP(ACTIVATION), {{1, 1, 2, 2}}, 0},
    {"dropout", OP(DROPOUT, .dropout = {0.5f, 3, false}), {{2, 3, 4, 5}}, 0},
    {"dropout, off", OP(DROPOUT, .dropout = {0.5f, 3, true}), {{1, 3, 4, 5}}, 0},

    {"zero padding", PAD(ZERO, 1, 2, 3, 0), {{2, 2, 3, 4}}, 0},
    {"reflection", PAD(REFLECT, 2, 1, 1, 3), {{2, 2, 3, 4}}, 0},
    {"replication", PAD(REPLICATE, 2, 5, 4, 3), {{2, 2, 3, 1}}, 0},
    {"concatenation", OP(CONCAT), {{2, 3, 3, 2}, {2, 1, 3, 2}}, 0},
    {"addition", OP(ADD), TWICE({2, 3, 3, 2}), 0},
    {"upsampling", OP(UPSAMPLE, .factor = 3), {{2, 2, 3, 2}}, 0},

    {"tangent of relu", OP(ACTIVATION_TANGENT, .activation = RELU), TWICE({2, 3, 4, 5}), 0},
    {"tangent of leaky relu", OP(ACTIVATION_TANGENT, .activation = LEAKY), TWICE({2, 3, 4, 5}), 0},
    {"tangent of batch norm", NORM_TANGENT(BATCH), TWICE({2, 3, 3, 5}), GAMMA},
    {"tangent of batch norm without parameters", NORM_TANGENT(BATCH), TWICE({1, 2, 3, 3}), 0},
    {"tangent of batch norm, running", NORM_TANGENT(BATCH, .running = true), TWICE({2, 3, 3, 5}),
     GAMMA | RUNNING},
    {"tangent of instance norm", NORM_TANGENT(INSTANCE), TWICE({3, 2, 4, 3}), 0},
    {"tangent of instance norm with parameters", NORM_TANGENT(INSTANCE), TWICE({2, 3, 4, 3}),
     GAMMA},
    {"tangent of batch norm, patchgan", NORM_TANGENT(BATCH), TWICE({1, 512, 3, 3}), GAMMA},

    {"convolution", CONV(CONV, 3, 4, 2, 1), {{2, 2, 5, 6}}, WEIGHT | BIAS},
    {"convolution, leaky relu",
     CONV(CONV, 3, 3, 1, 1, .activation = LEAKY),
     {{1, 2, 4, 5}},
     WEIGHT | BIAS},
    {"convolution, reflection, relu",
     OP(CONV, .conv = {3, 3, 3, 1, 1, {PIX_PAD_REFLECT, 1, 2, 2, 1}, .activation = RELU}),
     {{1, 2, 4, 5}},
     WEIGHT | BIAS},
    {"convolution, replication",
     OP(CONV, .conv = {2, 3, 2, 2, 1, {PIX_PAD_REPLICATE, 1, 2, 2, 1}}),
     {{2, 2, 4, 3}},
     WEIGHT | BIAS},
    {"transposed convolution",
     CONV(DECONV, 3, 3, 2, 1, .output_pad_h = 1, .output_pad_w = 1),
     {{2, 2, 3, 4}},
     WEIGHT | BIAS},
    {"transposed convolution, tanh, unet's last",
     CONV(DECONV, 3, 4, 2, 1, .activation = TANH),
     {{1, 128, 2, 3}},
     WEIGHT | BIAS},
    {"convolution, unet's bottleneck", CONV(CONV, 512, 4, 2, 1), {{1, 512, 2, 2}}, WEIGHT | BIAS},
    {"convolution, patchgan's last", CONV(CONV, 1, 4, 1, 1), {{1, 512, 4, 4}}, WEIGHT | BIAS},
};

/* One case with numbers. */
typedef struct {
    const Case *k;
    RefCall call;
    double *x[PIX_MAX_INPUTS], *param[PIX_SLOT_COUNT], *y, *dout; /* what call points to */
    size_t count[PIX_MAX_INPUTS], param_count[PIX_SLOT_COUNT], y_count;
} Numbers;

static double *noise(size_t count, double low, double high, guint32 seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    double *values = g_new(double, count);
    for (size_t i = 0; i < count; i++)
        values[i] = g_rand_double_range(rand, low, high);
    return values;
}

static bool is_conv(const PixOp *op)
{
    return op->kind == PIX_OP_CONV || op->kind == PIX_OP_DECONV;
}

static size_t param_count(const Case *k, PixSlot slot)
{
    const PixConvOp *o = &k->op.conv;
    int c = k->in[0].c;
    if (!is_conv(&k->op))
        return (size_t)c;
    return (size_t)(slot == PIX_SLOT_WEIGHT ? c * o->oc * o->kh * o->kw : o->oc);
}

static Numbers numbers_new(const Case *k, guint32 seed)
{
    Numbers a = {.k = k, .call = {.op = &k->op, .frame = {.seed = 42, .number = 7}}};
    PixShape out;
    assert_true(pix_op_infer(&k->op, k->in, &out, NULL));
    for (int j = 0; j < pix_op_n_inputs(k->op.kind); j++) {
        a.call.shape[j] = k->in[j];
        a.count[j] = pix_shape_count(k->in[j]);
        a.call.x[j] = a.x[j] = noise(a.count[j], -1, 1, seed + (guint32)j);
    }
    for (int slot = 0; slot < PIX_SLOT_COUNT; slot++)
        if (k->slots & BIT(slot)) {
            a.param_count[slot] = param_count(k, (PixSlot)slot);
            a.call.param[slot] = a.param[slot] =
                noise(a.param_count[slot], slot == PIX_SLOT_VARIANCE ? 0.5 : -1, 1,
                      seed + 10 + (guint32)slot);
        }
    a.y_count = pix_shape_count(out);
    a.y = g_new(double, a.y_count);
    a.dout = noise(a.y_count, -1, 1, seed + 20);
    return a;
}

static void numbers_clear(Numbers *a)
{
    for (int j = 0; j < PIX_MAX_INPUTS; j++)
        g_free(a->x[j]);
    for (int slot = 0; slot < PIX_SLOT_COUNT; slot++)
        g_free(a->param[slot]);
    g_free(a->y);
    g_free(a->dout);
}

static PixActivation activation_of(const PixOp *op)
{
    switch (op->kind) {
    case PIX_OP_CONV:
    case PIX_OP_DECONV:
        return op->conv.activation;
    case PIX_OP_NORM:
        return op->norm.activation;
    case PIX_OP_ACTIVATION:
    case PIX_OP_ACTIVATION_TANGENT:
        return op->activation;
    default:
        return (PixActivation){PIX_ACTIVATION_NONE};
    }
}

/* Whether something that goes into a relu is too close to 0. */
static bool at_kink(const Numbers *a)
{
    PixActivation f = activation_of(&a->k->op);
    PixOp linear = a->k->op;
    RefCall call = a->call;
    const double *before = a->x[linear.kind == PIX_OP_ACTIVATION_TANGENT];
    if (f.kind != PIX_ACTIVATION_RELU && f.kind != PIX_ACTIVATION_LEAKY_RELU)
        return false;
    if (is_conv(&linear) || linear.kind == PIX_OP_NORM) {
        *(is_conv(&linear) ? &linear.conv.activation : &linear.norm.activation) =
            (PixActivation){PIX_ACTIVATION_NONE};
        call.op = &linear;
        ref_forward(&call, a->y);
        before = a->y;
    }
    for (size_t i = 0; i < a->y_count; i++)
        if (fabs(before[i]) < KINK)
            return true;
    return false;
}

static double weighted_sum(const Numbers *a)
{
    double sum = 0;
    ref_forward(&a->call, a->y);
    for (size_t i = 0; i < a->y_count; i++)
        sum += a->y[i] * a->dout[i];
    return sum;
}

static double difference(const Numbers *a, double *value)
{
    double before = *value;
    *value = before + STEP;
    double up = weighted_sum(a);
    *value = before - STEP;
    double down = weighted_sum(a);
    *value = before;
    return (up - down) / (2 * STEP);
}

static void check(const Numbers *a, const char *what, double *values, const double *gradient,
                  size_t count)
{
    double largest = 1;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(gradient[i]));
    size_t checked = MIN(count, a->count[0] > 500 ? FEW_ELEMENTS : MOST_ELEMENTS);
    for (size_t j = 0; j < checked; j++) {
        size_t i = count == checked ? j : (j * 7919 + 13) % count;
        double expected = difference(a, &values[i]);
        if (!(fabs(gradient[i] - expected) <= TOLERANCE * largest))
            fail_msg("%s, %s, element %zu: %.10g, by differences %.10g", a->k->name, what, i,
                     gradient[i], expected);
    }
}

static void check_case(const Numbers *a)
{
    static const char *const slots[] = {"weight", "bias", "gamma", "beta"};
    double *dx[PIX_MAX_INPUTS] = {NULL}, *dparam[PIX_SLOT_COUNT] = {NULL};
    for (int j = 0; j < PIX_MAX_INPUTS; j++)
        dx[j] = a->x[j] ? g_new(double, a->count[j]) : NULL;
    for (int slot = 0; slot <= PIX_SLOT_BETA; slot++)
        dparam[slot] = a->param[slot] ? g_new(double, a->param_count[slot]) : NULL;
    ref_forward(&a->call, a->y);
    if (is_conv(&a->k->op)) {
        RefConvGradients d = {dx[0], dparam[PIX_SLOT_WEIGHT], dparam[PIX_SLOT_BIAS]};
        ref_conv_backward(&a->call, a->y, a->dout, &d);
    } else {
        RefGradients d = {.dout = a->dout, .dx = {dx[0], dx[1]}};
        d.dparam[PIX_SLOT_GAMMA] = dparam[PIX_SLOT_GAMMA];
        d.dparam[PIX_SLOT_BETA] = dparam[PIX_SLOT_BETA];
        ref_backward(&a->call, &d);
    }
    for (int j = 0; j < PIX_MAX_INPUTS; j++) {
        if (dx[j])
            check(a, j ? "input 1" : "input 0", a->x[j], dx[j], a->count[j]);
        g_free(dx[j]);
    }
    for (int slot = 0; slot <= PIX_SLOT_BETA; slot++) {
        if (dparam[slot])
            check(a, slots[slot], a->param[slot], dparam[slot], a->param_count[slot]);
        g_free(dparam[slot]);
    }
}

static void test_ops(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint32 seed = 1;
        Numbers a = numbers_new(&cases[i], seed);
        while (at_kink(&a)) {
            assert_true(seed < 5000);
            numbers_clear(&a);
            a = numbers_new(&cases[i], seed += 100);
        }
        check_case(&a);
        numbers_clear(&a);
    }
}

/* A tangent is the derivative of its op along a direction. */
static void check_tangent(const Case *tangent, const PixOp *op)
{
    Numbers a = numbers_new(tangent, 3);
    RefCall call = a.call;
    g_autofree double *moved = g_new(double, a.count[0]), *down = g_new(double, a.count[0]);
    g_autofree double *up = g_new(double, a.count[0]), *x = g_memdup2(a.x[1], a.count[0] * 8);
    call.op = op;
    call.x[0] = x;
    if (op->kind == PIX_OP_ACTIVATION)
        ref_forward(&call, a.x[1]); /* its tangent reads the output */
    ref_forward(&a.call, a.y);
    call.x[0] = moved;
    for (int sign = -1; sign <= 1; sign += 2) {
        for (size_t i = 0; i < a.count[0]; i++)
            moved[i] = x[i] + sign * STEP * a.x[0][i];
        ref_forward(&call, sign < 0 ? down : up);
    }
    for (size_t i = 0; i < a.count[0]; i++)
        if (!(fabs((up[i] - down[i]) / (2 * STEP) - a.y[i]) <= TOLERANCE))
            fail_msg("%s, element %zu: %.10g", tangent->name, i, a.y[i]);
    numbers_clear(&a);
}

static void test_tangents(void **state)
{
    static const Case tanh_case = {"tangent of tanh", OP(ACTIVATION_TANGENT, .activation = TANH),
                                   TWICE({2, 3, 4, 5}), 0};
    PixOp op = {.kind = PIX_OP_ACTIVATION, .activation = TANH};
    check_tangent(&tanh_case, &op);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        op = cases[i].op;
        op.kind = op.kind == PIX_OP_NORM_TANGENT         ? PIX_OP_NORM
                  : op.kind == PIX_OP_ACTIVATION_TANGENT ? PIX_OP_ACTIVATION
                                                         : op.kind;
        if (op.kind != cases[i].op.kind)
            check_tangent(&cases[i], &op);
    }
}

static void test_losses(void **state)
{
    static const double targets[] = {0, 1, -1, 0.3};
    for (PixLossKind kind = PIX_LOSS_L1; kind <= PIX_LOSS_LINEAR; kind++)
        for (size_t t = 0; t < G_N_ELEMENTS(targets); t++) {
            enum { COUNT = 20 };
            g_autofree double *x = noise(COUNT, -3, 3, 9);
            double target[COUNT], dx[COUNT];
            for (int i = 0; i < COUNT; i++)
                target[i] = targets[t];
            ref_loss(kind, x, target, COUNT, 3, dx);
            for (int i = 0; i < COUNT; i++) {
                double at = x[i];
                x[i] = at + STEP;
                double up = ref_loss(kind, x, target, COUNT, 1, NULL);
                x[i] = at - STEP;
                double down = ref_loss(kind, x, target, COUNT, 1, NULL);
                x[i] = at;
                assert_true(fabs(3 * (up - down) / (2 * STEP) - dx[i]) <= TOLERANCE);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops),
        cmocka_unit_test(test_tangents),
        cmocka_unit_test(test_losses),
    };
    return cmocka_run_group_tests_name("gradients", tests, NULL, NULL);
}
