/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What training needs beside the ops, against PyTorch's numbers and against tests/ref: losses, Adam,
 * running statistics, and the plain functions on ranges.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "compare.h"
#include "fenced.h"
#include "learn-torch.h"
#include "ref-learn.h"

/* Below and above what one task does; behind 1008 floats the fence follows at once. */
static const int counts[] = {1, 7, 1008, 100003};

static PixShape row(int count)
{
    return (PixShape){1, count, 1, 1};
}

static PixRange range_of(const Fenced *f)
{
    return (PixRange){f->tensor.buffer, f->tensor.offset, f->count * sizeof(float)};
}

/* What a sum loses where it is made of floats that are rounded, and where it is made of doubles. */
static double rounding(const PixDevice *device, double of_floats)
{
    return strcmp(device->info.level, "vulkan") == 0 ? of_floats : 1e-12;
}

static Fenced put(PixDevice *device, PixShape shape, int beside, const float *values)
{
    Fenced f = fenced_new(device, shape, beside);
    fenced_write(device, &f, values);
    return f;
}

static float *noise(size_t count, guint32 seed)
{
    float *values = g_new(float, count);
    compare_fill(values, count, 1, seed);
    return values;
}

static double *to_double(const float *values, size_t count)
{
    double *copy = g_new(double, count);
    for (size_t i = 0; i < count; i++)
        copy[i] = (double)values[i];
    return copy;
}

static void check_near(const float *found, const float *expected, size_t count, double tolerance)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)found[i] - (double)expected[i]) <= tolerance))
            fail_msg("element %zu: %.9g instead of %.9g", i, (double)found[i], (double)expected[i]);
}

/* ---- figures ---- */

/* @n of them that are NaN; for figure_take(). */
static PixRange figures_new(PixDevice *device, size_t n)
{
    PixRange figures = {.bytes = n * PIX_FIGURE_BYTES};
    figures.buffer = device->backend->buffer_new(device, figures.bytes, NULL);
    assert_non_null(figures.buffer);
    device->backend->fill(device, figures, NAN);
    return figures;
}

static double figure_take(PixDevice *device, PixRange figure)
{
    double value;
    assert_true(device->backend->read_figures(device, figure, &value, NULL));
    device->backend->buffer_free(device, figure.buffer);
    return value;
}

static double sum_squares(PixDevice *device, const Fenced *f)
{
    PixRange figure = figures_new(device, 1);
    device->backend->sum_squares(device, range_of(f), figure);
    return figure_take(device, figure);
}

/* ---- Adam ---- */

static const RefAdam adam = {2e-4, 0.5, 0.999, 1e-8};

static PixAdamCall call_of(int t, const Fenced *w, const Fenced *g, const Fenced *m,
                           const Fenced *v, float scale)
{
    return (PixAdamCall){
        .weights = range_of(w),
        .gradients = range_of(g),
        .m = range_of(m),
        .v = range_of(v),
        .scale = (double)scale,
        .beta1 = (float)adam.beta1,
        .share1 = (float)(1 - adam.beta1),
        .beta2 = (float)adam.beta2,
        .share2 = (float)(1 - adam.beta2),
        .rate = (float)(adam.lr / (1 - pow(adam.beta1, t))),
        .root = (float)(1 / sqrt(1 - pow(adam.beta2, t))),
        .epsilon = (float)adam.eps,
    };
}

static void step(PixDevice *device, int t, const Fenced *w, const Fenced *g, const Fenced *m,
                 const Fenced *v, float scale)
{
    PixAdamCall call = call_of(t, w, g, m, v, scale);
    device->backend->adam(device, &call);
}

static void test_adam_is_torchs(void **state)
{
    PixDevice *device = *state;
    const float zeros[ADAM_WEIGHTS] = {0};
    Fenced w = put(device, row(ADAM_WEIGHTS), 0, adam_start);
    Fenced m = put(device, row(ADAM_WEIGHTS), 0, zeros);
    Fenced v = put(device, row(ADAM_WEIGHTS), 0, zeros);
    for (int t = 1; t <= ADAM_STEPS; t++) {
        const float *gradients = adam_gradients + (t - 1) * ADAM_WEIGHTS;
        Fenced g = put(device, row(ADAM_WEIGHTS), 0, gradients);
        step(device, t, &w, &g, &m, &v, 1);
        g_autofree float *weights = fenced_read(device, &w);
        /* Two roundings of a weight of 0.04; a step is 2e-4. */
        check_near(weights, adam_weights + (t - 1) * ADAM_WEIGHTS, ADAM_WEIGHTS, 8e-9);
        g_autofree float *untouched = fenced_read(device, &g);
        assert_memory_equal(untouched, gradients, sizeof zeros);
        fenced_clear(device, &g);
    }
    g_autofree float *weights = fenced_read(device, &w), *m_end = fenced_read(device, &m);
    g_autofree float *v_end = fenced_read(device, &v);
    assert_true(weights[0] == adam_start[0]); /* its gradients were 0 */
    check_near(m_end, adam_m, ADAM_WEIGHTS, 1e-8);
    for (int i = 1; i < ADAM_WEIGHTS; i++) /* 1 - 0.999 is off by 1.3e-5 in float */
        assert_true(fabs((double)v_end[i] / (double)adam_v[i] - 1) < 1.5e-5);
    fenced_clear(device, &w);
    fenced_clear(device, &m);
    fenced_clear(device, &v);
}

/* Four steps with @scale; (transfer full): the weights. */
static float *train(PixDevice *device, int count, float scale, double *expected)
{
    g_autofree float *start = noise((size_t)count, 1), *zeros = g_new0(float, count);
    g_autofree double *rm = g_new0(double, count), *rv = g_new0(double, count);
    Fenced w = put(device, row(count), 0, start), m = put(device, row(count), 0, zeros);
    Fenced v = put(device, row(count), 0, zeros);
    for (int i = 0; i < count; i++)
        expected[i] = (double)start[i];
    for (int t = 1; t <= 4; t++) {
        g_autofree float *gradients = noise((size_t)count, (guint32)t + 1);
        g_autofree double *scaled = to_double(gradients, (size_t)count);
        for (int i = 0; i < count; i++)
            scaled[i] *= (double)scale;
        Fenced g = put(device, row(count), 0, gradients);
        step(device, t, &w, &g, &m, &v, scale);
        ref_adam(&adam, t, (size_t)count, scaled, expected, rm, rv);
        fenced_clear(device, &g);
    }
    float *weights = fenced_read(device, &w);
    g_free(fenced_read(device, &m));
    g_free(fenced_read(device, &v));
    fenced_clear(device, &w);
    fenced_clear(device, &m);
    fenced_clear(device, &v);
    return weights;
}

static void test_adam_of_any_length(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        g_autofree double *expected = g_new(double, counts[i]);
        g_autofree float *weights = train(*state, counts[i], 0.25f, expected);
        for (int j = 0; j < counts[i]; j++)
            assert_true(fabs((double)weights[j] - expected[j]) < 2e-7); /* four roundings of 1 */
    }
}

/* A step with @gradients that must not be longer than @longest, and with figures of which one is
 * @other. (transfer full): the weights, which were 0. */
static float *step_with_figures(PixDevice *device, const float *gradients, double longest,
                                float other)
{
    enum { COUNT = 1008 };
    g_autofree float *zeros = g_new0(float, COUNT);
    Fenced w = put(device, row(COUNT), 0, zeros), m = put(device, row(COUNT), 0, zeros);
    Fenced v = put(device, row(COUNT), 0, zeros), g = put(device, row(COUNT), 0, gradients);
    Fenced x = put(device, row(1), 0, &other);
    PixAdamCall call = call_of(1, &w, &g, &m, &v, 0.5f);
    PixRange figures = figures_new(device, 3), *all = &call.figures, part = figures;
    part.bytes = PIX_FIGURE_BYTES;
    device->backend->fill(device, figures, 0);
    device->backend->sum_squares(device, range_of(&x), part);
    part.offset = 2 * PIX_FIGURE_BYTES;
    device->backend->sum_squares(device, range_of(&g), part);
    *all = figures;
    call.squares = 2;
    call.longest = longest;
    call.epsilon = 1; /* a step is as long as the gradient, nearly */
    device->backend->adam(device, &call);
    device->backend->buffer_free(device, figures.buffer);
    float *weights = fenced_read(device, &w);
    Fenced *const made[] = {&w, &m, &v, &g, &x};
    for (size_t i = 0; i < G_N_ELEMENTS(made); i++)
        fenced_clear(device, made[i]);
    return weights;
}

static void test_adam_by_figures(void **state)
{
    enum { COUNT = 1008 };
    PixDevice *device = *state;
    g_autofree float *gradients = noise(COUNT, 1), *shorter = g_new(float, COUNT);
    g_autofree float *free_step = step_with_figures(device, gradients, 0, 1);
    double squares = 0;
    for (int i = 0; i < COUNT; i++)
        squares += (double)gradients[i] * (double)gradients[i];
    double length = 0.5 * sqrt(squares); /* with the scale */
    g_autofree float *wide = step_with_figures(device, gradients, 1.01 * length, 1);
    assert_memory_equal(wide, free_step, COUNT * sizeof *wide);
    for (int i = 0; i < COUNT; i++)
        shorter[i] = 0.25f * gradients[i];
    g_autofree float *clipped = step_with_figures(device, gradients, 0.25 * length, 1);
    g_autofree float *expected = step_with_figures(device, shorter, 0, 1);
    check_near(clipped, expected, COUNT, 1e-9); /* of 2e-4 */
    assert_memory_not_equal(clipped, free_step, COUNT * sizeof *clipped);
    const float broken[] = {NAN, INFINITY};
    for (size_t j = 0; j < G_N_ELEMENTS(broken); j++) {
        g_autofree float *stays = step_with_figures(device, gradients, 0, broken[j]);
        for (int i = 0; i < COUNT; i++)
            assert_true(stays[i] == 0);
    }
}

/* ---- the gradient penalty ---- */

static void test_mix(void **state)
{
    PixDevice *device = *state;
    PixShape shape = {7, 3, 5, 4};
    size_t count = pix_shape_count(shape), each = count / 7;
    const PixMaskKey key = {0x123456789, 3, 0xFFFE};
    g_autofree float *a = noise(count, 1), *b = noise(count, 2);
    Fenced to = put(device, shape, 2, a), from = put(device, shape, 1, b);
    device->backend->mix(device, &to.tensor, &from.tensor, &key);
    g_autofree float *found = fenced_read(device, &to);
    for (size_t i = 0; i < count; i++) {
        double share = pix_rng_word(&key, i / each) / 4294967296.0;
        double expected = share * (double)a[i] + (1 - share) * (double)b[i];
        assert_true(fabs((double)found[i] - expected) < 2e-7);
    }
    fenced_clear(device, &to);
    fenced_clear(device, &from);
}

/* Samples of lengths above and below 1, and some of zeros. */
static void check_penalty(PixDevice *device, PixShape shape)
{
    size_t count = pix_shape_count(shape), samples = (size_t)shape.n, each = count / samples;
    g_autofree float *values = noise(count, 1);
    g_autofree double *factors = g_new0(double, samples);
    double expected = 0;
    for (size_t n = 0; n < samples; n++) {
        double squares = 0;
        for (size_t i = n * each; i < (n + 1) * each; i++) {
            values[i] *= (const float[]){1, 0.01f, 0}[n % 3];
            squares += (double)values[i] * (double)values[i];
        }
        expected += pow(sqrt(squares) - 1, 2) / shape.n;
        factors[n] = squares > 0 ? 10 * 2 * (sqrt(squares) - 1) / sqrt(squares) / shape.n : 0;
    }
    Fenced g = put(device, shape, 0, values);
    PixRange figure = figures_new(device, 1);
    device->backend->penalty(device, &g.tensor, 10, figure);
    g_autofree float *found = fenced_read(device, &g);
    assert_true(fabs(figure_take(device, figure) / expected - 1) < rounding(device, 1e-6));
    for (size_t i = 0; i < count; i++) {
        double wanted = factors[i / each] * (double)values[i];
        double far = 20 * fabs((double)values[i]) / shape.n; /* lengths of about 1 cancel */
        assert_true(fabs((double)found[i] - wanted) <= 1e-6 * fmax(fabs(wanted), far));
    }
    fenced_clear(device, &g);
}

/* Of a few samples, and of more than there is room for at a time. */
static void test_penalty(void **state)
{
    check_penalty(*state, (PixShape){3, 3, 9, 7});
    check_penalty(*state, (PixShape){140, 3, 5, 1});
}

/* ---- losses ---- */

/* What a test wants of cpu_loss; it makes the tensors. */
typedef struct {
    PixLossKind kind;
    PixShape shape;
    const float *x, *target; /* target NULL: the label */
    float label, weight;
    bool adds;
} Wanted;

/* @gradient: (out) (nullable): without what was there before. */
static double run_loss(PixDevice *device, const Wanted *w, float **gradient)
{
    size_t count = pix_shape_count(w->shape);
    Fenced x = put(device, w->shape, 2, w->x), target = {0}, dx = {0};
    g_autofree float *before = noise(count, 3);
    if (w->target)
        target = put(device, w->shape, 1, w->target);
    if (gradient)
        dx = w->adds ? put(device, w->shape, 3, before) : fenced_new(device, w->shape, 3);
    PixLossCall call = {w->kind,   x.tensor,  target.tensor, w->label,
                        w->weight, dx.tensor, w->adds,       figures_new(device, 1)};
    device->backend->loss(device, &call);
    double value = figure_take(device, call.value);
    if (gradient) {
        *gradient = fenced_read(device, &dx);
        for (size_t i = 0; i < count && w->adds; i++)
            (*gradient)[i] -= before[i];
    }
    fenced_clear(device, &x);
    fenced_clear(device, &target);
    fenced_clear(device, &dx);
    return value;
}

static void test_losses_are_torchs(void **state)
{
    static const struct {
        PixLossKind kind;
        const float *gradient, *of_ones;
    } losses[] = {
        {PIX_LOSS_L1, loss_l1, loss_l1_ones},
        {PIX_LOSS_SQUARED, loss_squared, loss_squared_ones},
        {PIX_LOSS_BCE, loss_bce, loss_bce_ones},
    };
    size_t count = pix_shape_count(TORCH_SHAPE);
    for (size_t i = 0; i < G_N_ELEMENTS(losses); i++)
        for (int ones = 0; ones < 2; ones++) {
            Wanted w = {losses[i].kind, TORCH_SHAPE, loss_x, ones ? NULL : loss_target, 1, 1};
            const float *expected = ones ? losses[i].of_ones : losses[i].gradient;
            float *gradient;
            double value = run_loss(*state, &w, &gradient);
            assert_true(fabs(value / (double)loss_values[2 * i + (size_t)ones] - 1) < 1e-6);
            check_near(gradient, expected, count, 2.5e-7); /* of at most 2 */
            g_free(gradient);
        }
}

static void check_loss(PixDevice *device, const Wanted *w)
{
    size_t count = pix_shape_count(w->shape);
    g_autofree double *x = to_double(w->x, count), *dx = g_new(double, count);
    g_autofree double *target = g_new(double, count);
    for (size_t i = 0; i < count; i++)
        target[i] = (double)(w->target ? w->target[i] : w->label);
    double expected = ref_loss(w->kind, x, target, count, (double)w->weight, dx);
    g_autofree float *gradient = NULL;
    double value = run_loss(device, w, &gradient);
    CompareError e = compare(gradient, dx, count);
    /* What is added to rounds to a fraction of itself, not of the gradient. */
    double nmse = w->adds ? 1e-4 : 1e-12;
    double tolerance = rounding(device, 1e-6);
    if (!(fabs(value - expected) <= tolerance * fabs(expected)) || !e.finite || e.nmse > nmse)
        fail_msg("loss %d: %.17g instead of %.17g, gradient's NMSE %.2e", w->kind, value, expected,
                 e.nmse);
    assert_true(run_loss(device, w, NULL) == value);
}

static void test_losses(void **state)
{
    static const PixShape shapes[] = {{1, 1, 1, 1}, {2, 1, 30, 31}, {2, 3, 9, 7}, {1, 33, 5, 3}};
    for (PixLossKind kind = PIX_LOSS_L1; kind <= PIX_LOSS_LINEAR; kind++)
        for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++)
            for (int way = 0; way < 4; way++) {
                size_t count = pix_shape_count(shapes[i]);
                g_autofree float *x = noise(count, 1), *target = noise(count, 2);
                Wanted w = {kind, shapes[i], x, way & 1 ? target : NULL, -1, 0.3f, way & 2};
                for (size_t j = 0; j < count; j++) {
                    x[j] *= 3;
                    target[j] = kind == PIX_LOSS_HINGE ? copysignf(1, target[j]) : fabsf(target[j]);
                }
                if (kind == PIX_LOSS_BCE)
                    w.label = 1;
                check_loss(*state, &w);
            }
}

/* BCE does not overflow; nothing hides a NaN or an infinity. */
static void test_losses_of_extremes(void **state)
{
    const float far[] = {1000, -1000, 0};
    Wanted w = {PIX_LOSS_BCE, {1, 3, 1, 1}, far, NULL, 1, 1};
    g_autofree float *gradient = NULL;
    double value = run_loss(*state, &w, &gradient) * 3;
    assert_true(fabs(value - 1000 - log(2)) < 1000 * rounding(*state, 1e-10));
    const float expected[] = {0, -1 / 3.f, -0.5f / 3.f};
    check_near(gradient, expected, 3, 1e-7);

    float broken[] = {1, NAN, 2};
    w.x = broken;
    for (w.kind = PIX_LOSS_L1; w.kind <= PIX_LOSS_LINEAR; w.kind++) {
        broken[1] = NAN;
        assert_true(isnan(run_loss(*state, &w, NULL)));
        broken[1] = -NAN;
        assert_true(isnan(run_loss(*state, &w, NULL)));
        broken[1] = -INFINITY;
        assert_false(isfinite(run_loss(*state, &w, NULL)));
    }
}

/* ---- running statistics ---- */

typedef struct {
    PixNormOp norm;
    const float *mean, *variance; /* before */
} Statistics;

/* Runs a norm on one batch after another; (transfer full): mean and variance. */
static float *run_norm(PixDevice *device, const Statistics *s, PixShape shape, const float *x,
                       size_t batches)
{
    const PixBackend *backend = device->backend;
    PixOp op = {.kind = PIX_OP_NORM, .norm = s->norm};
    PixShape vector = {1, shape.c, 1, 1};
    Fenced vectors[2], *mean = &vectors[0], *variance = &vectors[1];
    Fenced out = fenced_new(device, shape, 1);
    fenced_new_row(device, (PixShape[]){vector, vector}, 2, vectors);
    fenced_write(device, mean, s->mean);
    fenced_write(device, variance, s->variance);
    for (size_t i = 0; i < batches; i++) {
        Fenced in = put(device, shape, 2, x + i * pix_shape_count(shape));
        PixCall call = {.op = &op, .in = {in.tensor}, .out = out.tensor};
        call.param[PIX_SLOT_MEAN] = mean->tensor;
        call.param[PIX_SLOT_VARIANCE] = variance->tensor;
        call.scratch = backend->buffer_new(device, pix_backend_scratch(device, &call, false), NULL);
        pix_backend_forward(device, &call);
        backend->buffer_free(device, call.scratch);
        fenced_clear(device, &in);
    }
    g_autofree float *means = fenced_read(device, mean);
    g_autofree float *variances = fenced_read(device, variance);
    float *both = g_new(float, 2 * shape.c);
    memcpy(both, means, (size_t)shape.c * sizeof *both);
    memcpy(both + shape.c, variances, (size_t)shape.c * sizeof *both);
    fenced_clear(device, mean);
    fenced_clear(device, variance);
    fenced_clear(device, &out);
    return both;
}

static void test_running_statistics_are_torchs(void **state)
{
    Statistics s = {
        {PIX_NORM_BATCH, .eps = 1e-5f, .momentum = 0.1f}, norm_mean_before, norm_variance_before};
    size_t c = (size_t)TORCH_SHAPE.c;
    g_autofree float *moved = run_norm(*state, &s, TORCH_SHAPE, norm_x, 2);
    check_near(moved, norm_mean_after, c, 3e-7);
    check_near(moved + c, norm_variance_after, c, 1e-6);
}

static void test_running_statistics_that_stay(void **state)
{
    static const PixNormOp norms[] = {
        {PIX_NORM_BATCH, .eps = 1e-5f},
        {PIX_NORM_BATCH, true, 1e-5f, .momentum = 0.1f},
        {PIX_NORM_INSTANCE, .eps = 1e-5f, .momentum = 0.1f},
    };
    size_t bytes = (size_t)TORCH_SHAPE.c * sizeof(float);
    for (size_t i = 0; i < G_N_ELEMENTS(norms); i++) {
        Statistics s = {norms[i], norm_mean_before, norm_variance_before};
        g_autofree float *moved = run_norm(*state, &s, TORCH_SHAPE, norm_x, 2);
        assert_memory_equal(moved, norm_mean_before, bytes);
        assert_memory_equal(moved + TORCH_SHAPE.c, norm_variance_before, bytes);
    }
}

/* PyTorch refuses this; the variance of one value counts as 0. */
static void test_running_statistics_of_one_value(void **state)
{
    const float x[] = {3, -1}, mean[] = {1, 1}, variance[] = {1, 2};
    const float expected[] = {1.2f, 0.8f, 0.9f, 1.8f};
    Statistics s = {{PIX_NORM_BATCH, .eps = 1e-5f, .momentum = 0.1f}, mean, variance};
    g_autofree float *moved = run_norm(*state, &s, (PixShape){1, 2, 1, 1}, x, 1);
    check_near(moved, expected, 4, 3e-7);
}

/* ---- dropout ---- */

/* Ones through dropout, forward or @backward: the mask. (transfer full) */
static float *mask_of(PixDevice *device, PixFrame frame, unsigned layer, bool backward)
{
    PixShape shape = {2, 37, 9, 11};
    PixOp op = {.kind = PIX_OP_DROPOUT, .dropout = {0.5f, layer, false}};
    size_t count = pix_shape_count(shape);
    g_autofree float *ones = g_new(float, count);
    for (size_t i = 0; i < count; i++)
        ones[i] = 1;
    Fenced from = put(device, shape, 1, ones), to = fenced_new(device, shape, 2);
    PixCall call = {.op = &op, .frame = &frame, .in = {from.tensor}, .out = to.tensor};
    if (backward) {
        call.dout = from.tensor;
        call.din[0] = to.tensor;
        call.in[0].buffer = call.out.buffer = NULL;
        pix_backend_backward(device, &call);
    } else {
        pix_backend_forward(device, &call);
    }
    float *mask = fenced_read(device, &to);
    fenced_clear(device, &from);
    fenced_clear(device, &to);
    return mask;
}

static void test_dropout_draws_the_mask_again(void **state)
{
    size_t bytes = 2 * 37 * 9 * 11 * sizeof(float);
    g_autofree float *forward = mask_of(*state, (PixFrame){5, 3}, 2, false);
    g_autofree float *backward = mask_of(*state, (PixFrame){5, 3}, 2, true);
    g_autofree float *next = mask_of(*state, (PixFrame){5, 4}, 2, true);
    g_autofree float *layer = mask_of(*state, (PixFrame){5, 3}, 1, true);
    g_autofree float *seed = mask_of(*state, (PixFrame){6, 3}, 2, true);
    assert_memory_equal(forward, backward, bytes);
    assert_memory_not_equal(forward, next, bytes);
    assert_memory_not_equal(forward, layer, bytes);
    assert_memory_not_equal(forward, seed, bytes);
}

/* ---- ranges ---- */

static void test_copy(void **state)
{
    PixDevice *device = *state;
    PixShape shape = {2, 33, 5, 7};
    g_autofree float *values = noise(pix_shape_count(shape), 1);
    Fenced from = put(device, shape, 1, values), to = fenced_new(device, shape, 3);
    device->backend->copy(device, &from.tensor, &to.tensor);
    g_autofree float *before = fenced_read(device, &from), *after = fenced_read(device, &to);
    assert_memory_equal(before, values, from.count * sizeof *values);
    assert_memory_equal(after, values, from.count * sizeof *values);
    fenced_clear(device, &from);
    fenced_clear(device, &to);
}

static void check_ranges(PixDevice *device, int count)
{
    size_t bytes = (size_t)count * sizeof(float);
    g_autofree float *start = noise((size_t)count, 1), *goal = noise((size_t)count, 2);
    Fenced a = fenced_new(device, row(count), 0), b = put(device, row(count), 0, goal);
    device->backend->fill(device, range_of(&a), 0.75f);
    g_autofree float *filled = fenced_read(device, &a);
    fenced_write(device, &a, start);
    device->backend->approach(device, range_of(&a), range_of(&b), 0.125f);
    g_autofree float *moved = fenced_read(device, &a), *still = fenced_read(device, &b);
    double squares = 0;
    for (int j = 0; j < count; j++) {
        squares += (double)goal[j] * (double)goal[j];
        assert_true(filled[j] == 0.75f);
        assert_true(fabsf(moved[j] - (start[j] + 0.125f * (goal[j] - start[j]))) < 2e-7f);
    }
    assert_memory_equal(still, goal, bytes);
    double found = sum_squares(device, &b);
    assert_true(fabs(found - squares) <= rounding(device, 6e-8) * squares);
    assert_true(found == sum_squares(device, &b));
    fenced_clear(device, &a);
    fenced_clear(device, &b);
}

static void test_ranges(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++)
        check_ranges(*state, counts[i]);
    check_ranges(*state, 5000011); /* more than a GPU does at once */
}

/* Whoever sums gradients learns whether they are finite. */
static void test_sum_of_no_numbers(void **state)
{
    const float broken[] = {NAN, INFINITY, -INFINITY};
    PixDevice *device = *state;
    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autofree float *values = noise(1008, 1);
        values[300 * i] = broken[i];
        Fenced f = put(device, row(1008), 0, values);
        assert_false(isfinite(sum_squares(device, &f)));
        fenced_clear(device, &f);
    }
}

/* ---- threads ---- */

/* Everything that sums, and Adam: the same bits for any number of threads. */
static void test_threads(void **state)
{
    enum { COUNT = 100003 };
    PixShape shape = {1, 3, 97, 101};
    g_autofree float *x = noise(COUNT, 1), *first = NULL;
    double squares = 0, value = 0;
    for (unsigned threads = 1; threads <= 3; threads++) {
        g_autoptr(PixDevice) device = pix_device_open("cpu", threads, NULL);
        Fenced range = put(device, row(COUNT), 0, x);
        Wanted w = {PIX_LOSS_BCE, shape, x, NULL, 1, 1};
        g_autofree double *unused = g_new(double, COUNT);
        g_autofree float *trained = train(device, COUNT, 1, unused);
        double now = sum_squares(device, &range);
        if (threads == 1) {
            first = g_steal_pointer(&trained);
            squares = now;
            value = run_loss(device, &w, NULL);
        } else {
            assert_memory_equal(trained, first, COUNT * sizeof *first);
            assert_true(now == squares);
            assert_true(run_loss(device, &w, NULL) == value);
        }
        fenced_clear(device, &range);
    }
}

int main(void)
{
#define TEST(name, level)                                                                          \
    {                                                                                              \
#name ", " level, name, open_level, close_device, level                                    \
    }
#define TESTS(level)                                                                               \
    TEST(test_adam_is_torchs, level), TEST(test_adam_of_any_length, level),                        \
        TEST(test_losses_are_torchs, level), TEST(test_losses, level),                             \
        TEST(test_losses_of_extremes, level), TEST(test_running_statistics_are_torchs, level),     \
        TEST(test_running_statistics_that_stay, level),                                            \
        TEST(test_running_statistics_of_one_value, level),                                         \
        TEST(test_dropout_draws_the_mask_again, level), TEST(test_copy, level),                    \
        TEST(test_ranges, level), TEST(test_sum_of_no_numbers, level),                             \
        TEST(test_adam_by_figures, level), TEST(test_mix, level), TEST(test_penalty, level)
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads), TESTS("c:2"),
                                       TESTS("vulkan")};
    size_t n = G_N_ELEMENTS(tests), each = (n - 1) / 2;
    return _cmocka_run_group_tests("learn", tests, has_level("vulkan") ? n : n - each, NULL, NULL);
}
