/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The gradients of CONV and DECONV of every level of the CPU, and of both variants of Vulkan, against
 * tests/ref, and those against central differences of the forward direction. With --bench [THREADS]
 * or --bench-vulkan [processor]: how long the published layers take.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend.h"
#include "bench-conv-backward.h"
#include "compare.h"
#include "levels.h"
#include "ref-conv-backward.h"

/* float32 against double; the largest error is in units of the root mean square. */
#define NMSE 1e-9
#define LARGEST 2e-4
#define GUARD 12345.f
#define FENCE 2   /* channels on each side */
#define MARGIN 64 /* floats before and after */

typedef struct {
    const char *name;
    PixOp op;
    PixShape in;
} Case;

#define CONV(k, out, s, p, ...)                                                                    \
    {                                                                                              \
        .kind = k, .conv = {                                                                       \
            .oc = out,                                                                             \
            .sh = s,                                                                               \
            .sw = s,                                                                               \
            .pad = {PIX_PAD_ZERO, p, p, p, p},                                                     \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define K(n) .kh = n, .kw = n
#define PADDED(m, k, out, p, ...)                                                                  \
    {                                                                                              \
        .kind = PIX_OP_CONV, .conv = {                                                             \
            .oc = out,                                                                             \
            K(k),                                                                                  \
            .sh = 1,                                                                               \
            .sw = 1,                                                                               \
            .pad = {PIX_PAD_##m, p, p, p, p},                                                      \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const Case cases[] = {
    /* The published networks' layers, at sizes that loops in double can do. */
    {"unet first", CONV(PIX_OP_CONV, 64, 2, 1, K(4)), {1, 3, 32, 32}},
    {"unet middle", CONV(PIX_OP_CONV, 128, 2, 1, K(4)), {1, 64, 16, 16}},
    {"unet 4x4 to 2x2", CONV(PIX_OP_CONV, 96, 2, 1, K(4)), {1, 64, 4, 4}},
    {"unet bottleneck", CONV(PIX_OP_CONV, 64, 2, 1, K(4)), {1, 320, 2, 2}},
    {"unet innermost up", CONV(PIX_OP_DECONV, 64, 2, 1, K(4)), {1, 320, 1, 1}},
    {"unet 2x2 to 4x4", CONV(PIX_OP_DECONV, 64, 2, 1, K(4)), {1, 96, 2, 2}},
    {"unet up", CONV(PIX_OP_DECONV, 32, 2, 1, K(4)), {1, 128, 8, 8}},
    {"unet last",
     CONV(PIX_OP_DECONV, 3, 2, 1, K(4), .activation = {PIX_ACTIVATION_TANH}),
     {1, 64, 24, 24}},
    {"patchgan first",
     CONV(PIX_OP_CONV, 40, 2, 1, K(4), .activation = {PIX_ACTIVATION_LEAKY_RELU, 0.2f}),
     {1, 6, 70, 66}},
    {"patchgan stride 1", CONV(PIX_OP_CONV, 64, 1, 1, K(4)), {1, 32, 9, 9}},
    {"patchgan last", CONV(PIX_OP_CONV, 1, 1, 1, K(4)), {1, 64, 9, 9}},
    {"pixelgan", CONV(PIX_OP_CONV, 40, 1, 0, K(1)), {2, 6, 11, 7}},
    {"pixelgan last", CONV(PIX_OP_CONV, 1, 1, 0, K(1)), {1, 40, 11, 7}},
    {"resnet stem", PADDED(REFLECT, 7, 24, 3), {1, 3, 20, 24}},
    {"resnet stem, padded before", CONV(PIX_OP_CONV, 24, 1, 0, K(7)), {1, 3, 20, 24}},
    {"resnet block", PADDED(REFLECT, 3, 33, 1), {1, 33, 12, 12}},
    {"resnet down", CONV(PIX_OP_CONV, 48, 2, 1, K(3)), {1, 24, 13, 12}},
    {"resnet up",
     CONV(PIX_OP_DECONV, 24, 2, 1, K(3), .output_pad_h = 1, .output_pad_w = 1),
     {1, 48, 7, 6}},
    {"resnet last", CONV(PIX_OP_CONV, 3, 1, 0, K(7)), {1, 32, 18, 17}},
    /* Corners of the arithmetic. */
    {"1x1 map", CONV(PIX_OP_CONV, 5, 1, 1, K(3)), {1, 5, 1, 1}},
    {"one channel", CONV(PIX_OP_CONV, 1, 1, 1, K(3)), {1, 1, 5, 4}},
    {"one channel up", CONV(PIX_OP_DECONV, 1, 2, 1, K(4)), {1, 1, 5, 4}},
    {"batch 2", CONV(PIX_OP_CONV, 33, 2, 1, K(4)), {2, 5, 10, 6}},
    {"batch 3 up", CONV(PIX_OP_DECONV, 17, 2, 1, K(4)), {3, 5, 5, 3}},
    {"rows left over", CONV(PIX_OP_CONV, 33, 2, 0, K(4)), {2, 33, 11, 9}},
    {"stride 3", CONV(PIX_OP_CONV, 7, 3, 2, K(5)), {1, 3, 17, 16}},
    {"stride 3 up",
     CONV(PIX_OP_DECONV, 7, 3, 2, K(5), .output_pad_h = 1, .output_pad_w = 2),
     {1, 3, 6, 5}},
    {"stride beyond the kernel", CONV(PIX_OP_CONV, 4, 3, 0, K(2)), {1, 3, 11, 11}},
    {"stride beyond the kernel, up", CONV(PIX_OP_DECONV, 20, 3, 0, K(2)), {1, 20, 4, 5}},
    {"one row", CONV(PIX_OP_CONV, 6, 1, 0, .kh = 1, .kw = 5), {1, 9, 3, 21}},
    {"uneven kernel up",
     {.kind = PIX_OP_DECONV,
      .conv = {.oc = 6, .kh = 3, .kw = 2, .sh = 2, .sw = 1, .pad = {PIX_PAD_ZERO, 1, 0, 1, 0}}},
     {2, 9, 4, 7}},
    {"uneven padding",
     {.kind = PIX_OP_CONV,
      .conv = {.oc = 3, K(4), .sh = 1, .sw = 1, .pad = {PIX_PAD_ZERO, 2, 2, 1, 1}}},
     {1, 16, 10, 12}},
    {"replicated border", PADDED(REPLICATE, 5, 9, 2), {1, 4, 3, 9}},
    {"replicated, one channel out",
     PADDED(REPLICATE, 5, 1, 2, .activation = {PIX_ACTIVATION_RELU}),
     {2, 20, 3, 9}},
    {"reflected, strided",
     {.kind = PIX_OP_CONV,
      .conv = {.oc = 20, K(4), .sh = 2, .sw = 2, .pad = {PIX_PAD_REFLECT, 2, 1, 3, 0}}},
     {2, 5, 8, 9}},
    {"long sum", CONV(PIX_OP_CONV, 300, 1, 1, K(3)), {1, 16, 5, 5}},
    {"long sum of few", CONV(PIX_OP_CONV, 300, 1, 1, K(3)), {1, 3, 5, 5}},
    {"long sum to few", CONV(PIX_OP_CONV, 3, 1, 1, K(3)), {1, 300, 5, 5}},
    {"many channels", CONV(PIX_OP_CONV, 65, 1, 0, K(1)), {1, 520, 6, 5}},
    {"big kernel of few channels", CONV(PIX_OP_CONV, 9, 1, 5, K(11)), {1, 3, 12, 12}},
    {"relu",
     CONV(PIX_OP_DECONV, 20, 2, 1, K(4), .activation = {PIX_ACTIVATION_RELU}),
     {1, 6, 6, 6}},
    /* Enough pixels for sums in chunks. */
    {"many pixels", CONV(PIX_OP_CONV, 12, 2, 1, K(4)), {2, 3, 150, 140}},
    {"many pixels up", CONV(PIX_OP_DECONV, 3, 2, 1, K(4)), {1, 12, 75, 70}},
    {"many pixels and channels", CONV(PIX_OP_CONV, 40, 2, 1, K(4)), {1, 20, 90, 80}},
    /* So many weights that their gradient is written past the caches. */
    {"many weights", CONV(PIX_OP_CONV, 96, 2, 1, K(4)), {1, 96, 2, 2}},
};

/* ---- one case ---- */

/* The problem in NCHW, and its solution. */
typedef struct {
    const Case *k;
    PixShape out;
    int dims[4]; /* of the weights */
    size_t n_x, n_y, n_weight;
    float *x, *weight, *bias, *y, *dy;
    float *dx0, *dweight0, *dbias0; /* what is there before */
    double *dx, *dweight, *dbias;
} Problem;

static double *to_double(const float *values, size_t count)
{
    double *copy = g_new(double, count);
    for (size_t i = 0; i < count; i++)
        copy[i] = (double)values[i];
    return copy;
}

static float *noise(size_t count, float range, guint32 seed)
{
    float *values = g_new(float, count);
    compare_fill(values, count, range, seed);
    return values;
}

static void solve(Problem *p)
{
    g_autofree double *x = to_double(p->x, p->n_x), *weight = to_double(p->weight, p->n_weight);
    g_autofree double *bias = to_double(p->bias, (size_t)p->out.c), *dy = to_double(p->dy, p->n_y);
    g_autofree double *y = g_new(double, p->n_y);
    RefCall ref = {.op = &p->k->op, .shape = {p->k->in}, .x = {x}};
    ref.param[PIX_SLOT_WEIGHT] = weight;
    ref.param[PIX_SLOT_BIAS] = bias;
    ref_forward(&ref, y);
    for (size_t i = 0; i < p->n_y; i++)
        p->y[i] = (float)y[i];
    p->dx = g_new(double, p->n_x);
    p->dweight = g_new(double, p->n_weight);
    p->dbias = g_new(double, (size_t)p->out.c);
    ref_conv_backward(&ref, y, dy, &(RefConvGradients){p->dx, p->dweight, p->dbias});
}

static Problem problem_new(const Case *k)
{
    Problem p = {.k = k};
    const PixConvOp *o = &k->op.conv;
    bool conv = k->op.kind == PIX_OP_CONV;
    const int dims[4] = {conv ? o->oc : k->in.c, conv ? k->in.c : o->oc, o->kh, o->kw};
    memcpy(p.dims, dims, sizeof dims);
    assert_true(pix_op_infer(&k->op, &k->in, &p.out, NULL));
    p.n_x = pix_shape_count(k->in);
    p.n_y = pix_shape_count(p.out);
    p.n_weight = (size_t)(o->oc * k->in.c * o->kh * o->kw);
    p.x = noise(p.n_x, 1, 1);
    p.weight = noise(p.n_weight, 0.3f, 2);
    p.bias = noise((size_t)o->oc, 1, 3);
    p.dy = noise(p.n_y, 1, 4);
    p.dx0 = noise(p.n_x, 1, 5);
    p.dweight0 = noise(p.n_weight, 1, 6);
    p.dbias0 = noise((size_t)o->oc, 1, 7);
    p.y = g_new(float, p.n_y);
    solve(&p);
    return p;
}

static void problem_clear(Problem *p)
{
    float *floats[] = {p->x, p->weight, p->bias, p->y, p->dy, p->dx0, p->dweight0, p->dbias0};
    for (size_t i = 0; i < G_N_ELEMENTS(floats); i++)
        g_free(floats[i]);
    g_free(p->dx);
    g_free(p->dweight);
    g_free(p->dbias);
}

/* The first floats of a buffer, as they lie there. */
static PixTensor raw(PixBuffer *buffer, size_t floats)
{
    return (PixTensor){{1, (int)floats, 1, 1}, buffer, 0, 0, (int)floats};
}

static float *raw_read(PixDevice *device, PixBuffer *buffer, size_t floats)
{
    PixTensor t = raw(buffer, floats);
    float *values = g_new(float, floats);
    assert_true(device->backend->read(device, &t, values, NULL));
    return values;
}

/* Every other one is NaN, as whoever reads it will be. */
static float guard(size_t i)
{
    return i % 2 ? GUARD : NAN;
}

static bool is_guard(float value, size_t i)
{
    return i % 2 ? value == GUARD : isnan(value);
}

/* A buffer of @floats, all NaN or guards as well, between margins of guards. */
static PixTensor fenced(PixDevice *device, PixShape shape, int fence, size_t floats, bool guards)
{
    size_t whole = floats + 2 * MARGIN;
    PixBuffer *buffer = device->backend->buffer_new(device, whole * sizeof(float), NULL);
    PixTensor t = raw(buffer, whole);
    g_autofree float *values = g_new(float, whole);
    for (size_t i = 0; i < whole; i++)
        values[i] = guards || i < MARGIN || i >= MARGIN + floats ? guard(i) : NAN;
    assert_true(device->backend->write(device, &t, values, NULL));
    return (PixTensor){shape, buffer, MARGIN * sizeof(float), fence, shape.c + 2 * fence};
}

/* A tensor between @fence other channels on each side; without @values it holds NaN. */
static PixTensor map_new(PixDevice *device, PixShape shape, int fence, const float *values)
{
    PixShape whole = shape;
    whole.c += 2 * fence;
    PixTensor t = fenced(device, shape, fence, pix_shape_count(whole), true);
    g_autofree float *nan = g_new(float, pix_shape_count(shape));
    for (size_t i = 0; i < pix_shape_count(shape); i++)
        nan[i] = NAN;
    assert_true(device->backend->write(device, &t, values ? values : nan, NULL));
    return t;
}

static void check_guards(PixDevice *device, const PixTensor *t, size_t floats, const char *name)
{
    g_autofree float *data = raw_read(device, t->buffer, floats + 2 * MARGIN);
    for (size_t i = 0; i < floats + 2 * MARGIN; i++) {
        size_t channel = (i - MARGIN) % (size_t)t->c_whole;
        bool outside = i < MARGIN || i >= MARGIN + floats;
        bool beside =
            channel < (size_t)t->c_first || channel >= (size_t)t->c_first + (size_t)t->shape.c;
        if ((outside || beside) && !is_guard(data[i], i))
            fail_msg("%s: memory beside a gradient was written", name);
    }
}

static PixTensor weight_new(PixDevice *device, const Problem *p, const float *values)
{
    size_t floats =
        device->backend->weight_bytes(device, &p->k->op, p->dims, PIX_DTYPE_F32) / sizeof(float);
    PixShape shape = {p->dims[0], p->dims[1], p->dims[2], p->dims[3]};
    PixTensor t = fenced(device, shape, 0, floats, false);
    if (values)
        assert_true(device->backend->write_weight(device, &t, &p->k->op, p->dims, values, NULL));
    return t;
}

/* What a run found. */
typedef struct {
    float *dx, *dweight, *dbias;
} Found;

static void found_clear(Found *f)
{
    g_free(f->dx);
    g_free(f->dweight);
    g_free(f->dbias);
}

typedef struct {
    bool adds, wants_x, wants_params;
    int fence;
} Mode;

static const Mode overwrite = {false, true, true, FENCE};

/* Rows find their scratch at the start of its buffer; what comes after it is the fence. */
static PixBuffer *scratch_new(PixDevice *device, size_t floats)
{
    PixBuffer *scratch = fenced(device, (PixShape){1, 1, 1, 1}, 0, floats, true).buffer;
    PixTensor t = raw(scratch, floats);
    g_autofree float *nan = g_new(float, floats);
    for (size_t i = 0; i < floats; i++)
        nan[i] = NAN;
    assert_true(floats == 0 || device->backend->write(device, &t, nan, NULL));
    return scratch;
}

static void check_scratch(PixDevice *device, const PixCall *call, const char *name)
{
    size_t floats = pix_backend_scratch(device, call, true) / sizeof(float);
    g_autofree float *data = raw_read(device, call->scratch, floats + 2 * MARGIN);
    for (size_t i = 0; i < 2 * MARGIN; i++)
        if (!is_guard(data[floats + i], floats + i))
            fail_msg("%s: memory behind the scratch was written", name);
}

static PixCall call_new(PixDevice *device, const Problem *p, Mode mode)
{
    PixShape vector = {1, p->out.c, 1, 1};
    PixCall call = {.op = &p->k->op, .dparam_adds = mode.adds, .din_adds = {mode.adds}};
    call.in[0] = map_new(device, p->k->in, mode.fence, p->x);
    call.out = map_new(device, p->out, mode.fence, p->y);
    call.dout = map_new(device, p->out, mode.fence, p->dy);
    call.param[PIX_SLOT_WEIGHT] = weight_new(device, p, p->weight);
    call.param[PIX_SLOT_BIAS] = map_new(device, vector, 0, p->bias);
    if (mode.wants_x)
        call.din[0] = map_new(device, p->k->in, mode.fence, mode.adds ? p->dx0 : NULL);
    if (mode.wants_params) {
        call.dparam[PIX_SLOT_WEIGHT] = weight_new(device, p, mode.adds ? p->dweight0 : NULL);
        call.dparam[PIX_SLOT_BIAS] = map_new(device, vector, FENCE, mode.adds ? p->dbias0 : NULL);
    }
    call.scratch = scratch_new(device, pix_backend_scratch(device, &call, true) / sizeof(float));
    return call;
}

static void call_clear(PixDevice *device, PixCall *call)
{
    PixBuffer *buffers[] = {call->in[0].buffer,
                            call->out.buffer,
                            call->dout.buffer,
                            call->param[PIX_SLOT_WEIGHT].buffer,
                            call->param[PIX_SLOT_BIAS].buffer,
                            call->din[0].buffer,
                            call->dparam[PIX_SLOT_WEIGHT].buffer,
                            call->dparam[PIX_SLOT_BIAS].buffer,
                            call->scratch};
    for (size_t i = 0; i < G_N_ELEMENTS(buffers); i++)
        device->backend->buffer_free(device, buffers[i]);
}

static float *read_map(PixDevice *device, const PixTensor *t, const char *name)
{
    PixShape whole = t->shape;
    whole.c = t->c_whole;
    check_guards(device, t, pix_shape_count(whole), name);
    float *values = g_new(float, pix_shape_count(t->shape));
    assert_true(device->backend->read(device, t, values, NULL));
    return values;
}

/* The gradient must be packed as weights are, zeros where there is no channel. */
static float *read_weight(PixDevice *device, const Problem *p, const PixTensor *t)
{
    float *values = g_new(float, p->n_weight);
    assert_true(device->backend->read_weight(device, t, &p->k->op, p->dims, values, NULL));
    PixTensor again = weight_new(device, p, values);
    size_t floats =
        device->backend->weight_bytes(device, &p->k->op, p->dims, PIX_DTYPE_F32) / sizeof(float);
    g_autofree float *a = raw_read(device, t->buffer, floats + 2 * MARGIN);
    g_autofree float *b = raw_read(device, again.buffer, floats + 2 * MARGIN);
    for (size_t i = 0; i < floats + 2 * MARGIN; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) != 0)
            fail_msg("%s: float %zu of the packed gradient is %g instead of %g", p->k->name, i,
                     (double)a[i], (double)b[i]);
    device->backend->buffer_free(device, again.buffer);
    return values;
}

static Found run(PixDevice *device, const Problem *p, Mode mode)
{
    PixCall call = call_new(device, p, mode);
    pix_backend_backward(device, &call);
    Found found = {0};
    if (mode.wants_x)
        found.dx = read_map(device, &call.din[0], p->k->name);
    if (mode.wants_params) {
        found.dweight = read_weight(device, p, &call.dparam[PIX_SLOT_WEIGHT]);
        found.dbias = read_map(device, &call.dparam[PIX_SLOT_BIAS], p->k->name);
    }
    check_scratch(device, &call, p->k->name);
    call_clear(device, &call);
    return found;
}

static void check(const PixDevice *device, const Problem *p, const char *what, const float *found,
                  const float *before, const double *gradient, size_t count)
{
    g_autofree double *expected = g_new(double, count);
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        expected[i] = gradient[i] + (before ? (double)before[i] : 0);
        squares += expected[i] * expected[i];
    }
    CompareError e = compare(found, expected, count);
    if (!e.finite || e.nmse > NMSE || e.largest > LARGEST * sqrt(squares / (double)count))
        fail_msg("%s (%s, %s), %s%s: NMSE %.2e, worst at %zu: %.9g instead of %.9g", p->k->name,
                 pix_op_name(p->k->op.kind), device->info.features, what, before ? ", added" : "",
                 e.nmse, e.worst, (double)found[e.worst], expected[e.worst]);
}

static void check_found(const PixDevice *device, const Problem *p, const Found *f, bool adds)
{
    check(device, p, "input", f->dx, adds ? p->dx0 : NULL, p->dx, p->n_x);
    check(device, p, "weights", f->dweight, adds ? p->dweight0 : NULL, p->dweight, p->n_weight);
    check(device, p, "bias", f->dbias, adds ? p->dbias0 : NULL, p->dbias, (size_t)p->out.c);
}

/* ---- the tests ---- */

/* Cases are solved once. */
static Problem problems[G_N_ELEMENTS(cases)];

static int solve_all(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        problems[i] = problem_new(&cases[i]);
    return 0;
}

static int clear_all(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        problem_clear(&problems[i]);
    return 0;
}

static void test_overwrites(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Found found = run(*state, &problems[i], overwrite);
        check_found(*state, &problems[i], &found, false);
        found_clear(&found);
    }
}

static void test_adds(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Found found = run(*state, &problems[i], (Mode){true, true, true, FENCE});
        check_found(*state, &problems[i], &found, true);
        found_clear(&found);
    }
}

static void assert_same(const Problem *p, const float *a, const float *b, size_t count)
{
    if (memcmp(a, b, count * sizeof *a) != 0)
        fail_msg("%s: other bits", p->k->name);
}

/* What is not wanted changes nothing in what is; nor does it matter whether maps are slices. */
static void test_parts(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Problem *p = &problems[i];
        Found all = run(*state, p, overwrite);
        Found x = run(*state, p, (Mode){false, true, false, FENCE});
        Found params = run(*state, p, (Mode){false, false, true, FENCE});
        Found dense = run(*state, p, (Mode){false, true, true, 0});
        Found fours = run(*state, p, (Mode){false, true, true, 4});
        assert_same(p, all.dx, x.dx, p->n_x);
        assert_same(p, all.dweight, params.dweight, p->n_weight);
        assert_same(p, all.dbias, params.dbias, (size_t)p->out.c);
        assert_same(p, all.dx, dense.dx, p->n_x);
        assert_same(p, all.dweight, dense.dweight, p->n_weight);
        assert_same(p, all.dx, fours.dx, p->n_x);
        assert_same(p, all.dweight, fours.dweight, p->n_weight);
        found_clear(&all);
        found_clear(&dense);
        found_clear(&fours);
        found_clear(&x);
        found_clear(&params);
    }
}

/* The same bits for any number of threads. */
static void test_threads(void **state)
{
    static const unsigned counts[] = {1, 2, 3};
    PixDevice *device = *state, *devices[G_N_ELEMENTS(counts)];
    g_setenv("PIX2PIX_CPU", device->info.level, TRUE);
    for (size_t j = 0; j < G_N_ELEMENTS(counts); j++)
        devices[j] = pix_device_open("cpu", counts[j], NULL);
    g_unsetenv("PIX2PIX_CPU");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Problem *p = &problems[i];
        Found one = run(devices[0], p, overwrite);
        for (size_t j = 1; j < G_N_ELEMENTS(counts); j++) {
            Found many = run(devices[j], p, overwrite);
            assert_same(p, one.dx, many.dx, p->n_x);
            assert_same(p, one.dweight, many.dweight, p->n_weight);
            assert_same(p, one.dbias, many.dbias, (size_t)p->out.c);
            found_clear(&many);
        }
        found_clear(&one);
    }
    for (size_t j = 0; j < G_N_ELEMENTS(counts); j++)
        pix_device_unref(devices[j]);
}

/* ---- the specification itself ---- */

static const Case small[] = {
    {"conv", CONV(PIX_OP_CONV, 2, 2, 1, K(4), .activation = {PIX_ACTIVATION_TANH}), {2, 3, 6, 5}},
    {"conv, leaky",
     CONV(PIX_OP_CONV, 3, 1, 0, .kh = 1, .kw = 3, .activation = {PIX_ACTIVATION_LEAKY_RELU, 0.2f}),
     {1, 2, 4, 5}},
    {"conv, reflected", PADDED(REFLECT, 3, 2, 2), {1, 2, 4, 5}},
    {"conv, replicated",
     PADDED(REPLICATE, 3, 2, 2, .activation = {PIX_ACTIVATION_RELU}),
     {1, 2, 3, 4}},
    {"deconv",
     CONV(PIX_OP_DECONV, 2, 2, 1, K(3), .output_pad_h = 1, .activation = {PIX_ACTIVATION_TANH}),
     {2, 3, 3, 4}},
    {"deconv, stride 3", CONV(PIX_OP_DECONV, 3, 3, 1, K(4)), {1, 2, 3, 2}},
};

/* sum of y * dy, as a function of all that the call reads. */
static double loss(const RefCall *ref, const double *dy, size_t n_y)
{
    g_autofree double *y = g_new(double, n_y);
    double sum = 0;
    ref_forward(ref, y);
    for (size_t i = 0; i < n_y; i++)
        sum += y[i] * dy[i];
    return sum;
}

static void check_differences(const Problem *p, const char *what, const RefCall *ref,
                              const double *dy, double *values, const double *gradient,
                              size_t count)
{
    const double step = 1e-5;
    for (size_t i = 0; i < count; i++) {
        double value = values[i];
        values[i] = value + step;
        double above = loss(ref, dy, p->n_y);
        values[i] = value - step;
        double slope = (above - loss(ref, dy, p->n_y)) / (2 * step);
        values[i] = value;
        if (!(fabs(slope - gradient[i]) <= 1e-7 * (1 + fabs(slope))))
            fail_msg("%s, %s %zu: %.9g instead of %.9g", p->k->name, what, i, gradient[i], slope);
    }
}

static void test_specification(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(small); i++) {
        Problem p = problem_new(&small[i]);
        size_t oc = (size_t)p.out.c;
        g_autofree double *x = to_double(p.x, p.n_x), *weight = to_double(p.weight, p.n_weight);
        g_autofree double *bias = to_double(p.bias, oc), *dy = to_double(p.dy, p.n_y);
        RefCall ref = {.op = &p.k->op, .shape = {p.k->in}, .x = {x}};
        ref.param[PIX_SLOT_WEIGHT] = weight;
        ref.param[PIX_SLOT_BIAS] = bias;
        check_differences(&p, "input", &ref, dy, x, p.dx, p.n_x);
        check_differences(&p, "weight", &ref, dy, weight, p.dweight, p.n_weight);
        check_differences(&p, "bias", &ref, dy, bias, p.dbias, oc);
        problem_clear(&p);
    }
}

/* ---- main ---- */

static int open_simple(void **state)
{
    g_setenv("PIX2PIX_VULKAN", "simple", TRUE);
    *state = level_open("vulkan");
    g_unsetenv("PIX2PIX_VULKAN");
    return *state ? 0 : -1;
}

static int close_device(void **state)
{
    pix_device_unref(*state);
    return 0;
}

static int open_device(void **state)
{
    *state = level_open(*state);
    return *state ? 0 : -1;
}

#define TEST(test, open, level)                                                                    \
    {                                                                                              \
#test ", " level, test_##test, open, close_device, level                                   \
    }
#define TESTS(open, level)                                                                         \
    TEST(overwrites, open, level), TEST(adds, open, level), TEST(parts, open, level)
#define CPU_TESTS(level) TESTS(open_device, level), TEST(threads, open_device, level)

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--bench") == 0) {
        bench_conv_backward(argc > 2 ? (unsigned)atoi(argv[2]) : 0);
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "--bench-vulkan") == 0) {
        bench_conv_vulkan(argc > 2 && strcmp(argv[2], "processor") == 0);
        return 0;
    }
    static const struct CMUnitTest all[] = {CPU_TESTS("c:1"),
                                            CPU_TESTS("openblas:2"),
                                            CPU_TESTS("avx2:2"),
                                            CPU_TESTS("avx512:3"),
                                            CPU_TESTS("neon:2"),
                                            TESTS(open_device, "vulkan"),
                                            TESTS(open_simple, "vulkan")};
    struct CMUnitTest tests[G_N_ELEMENTS(all) + 1] = {cmocka_unit_test(test_specification)};
    size_t n = 1;
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        if (has_level(all[i].initial_state))
            tests[n++] = all[i];
    return _cmocka_run_group_tests("conv-backward", tests, n, solve_all, clear_all);
}
