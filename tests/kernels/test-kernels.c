/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Every op of every level of the CPU, and of Vulkan, against tests/ref, over a table of shapes.
 * Outputs start as NaN, lie between other channels and between other tensors, and must leave those
 * alone.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "backend.h"
#include "compare.h"
#include "fenced.h"
#include "ref-ops.h"

/* float32 against double; a case that needs more says why. */
#define NMSE 1e-9
/* Of outputs that are rounded to 11 bits: 2^-22 / 3 at most, where all are just above powers of two. */
#define HALF_NMSE 1e-7

typedef struct {
    const char *name;
    PixOp op;
    PixShape in[PIX_MAX_INPUTS];
    unsigned slots; /* bits of PixSlot that exist */
    float range;    /* of the inputs; 0 is 1 */
    double nmse;    /* 0 is NMSE */
    bool breaks;    /* some inputs are not finite */
} Case;

#define BIT(slot) (1u << (slot))
#define WEIGHT BIT(PIX_SLOT_WEIGHT)
#define BIAS BIT(PIX_SLOT_BIAS)
#define AFFINE (BIT(PIX_SLOT_GAMMA) | BIT(PIX_SLOT_BETA))
#define RUNNING (BIT(PIX_SLOT_MEAN) | BIT(PIX_SLOT_VARIANCE))

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

static const Case cases[] = {
    /* The published networks' layers, at sizes that loops in double can do. */
    {"unet first", CONV(PIX_OP_CONV, 64, 2, 1, K(4)), {{1, 3, 32, 32}}, WEIGHT},
    {"unet middle", CONV(PIX_OP_CONV, 128, 2, 1, K(4)), {{1, 64, 16, 16}}, WEIGHT},
    {"unet bottleneck", CONV(PIX_OP_CONV, 64, 2, 1, K(4)), {{1, 512, 2, 2}}, WEIGHT},
    {"unet innermost up", CONV(PIX_OP_DECONV, 64, 2, 1, K(4)), {{1, 512, 1, 1}}, WEIGHT},
    {"unet up", CONV(PIX_OP_DECONV, 32, 2, 1, K(4)), {{1, 128, 8, 8}}, WEIGHT},
    {"unet last",
     CONV(PIX_OP_DECONV, 3, 2, 1, K(4), .activation = {PIX_ACTIVATION_TANH}),
     {{1, 128, 16, 16}},
     WEIGHT | BIAS},
    {"resnet stem",
     {.kind = PIX_OP_CONV,
      .conv = {.oc = 64, K(7), .sh = 1, .sw = 1, .pad = {PIX_PAD_REFLECT, 3, 3, 3, 3}}},
     {{1, 3, 20, 24}},
     WEIGHT | BIAS},
    {"resnet block",
     {.kind = PIX_OP_CONV,
      .conv = {.oc = 64, K(3), .sh = 1, .sw = 1, .pad = {PIX_PAD_REFLECT, 1, 1, 1, 1}}},
     {{1, 64, 12, 12}},
     WEIGHT | BIAS},
    {"resnet down", CONV(PIX_OP_CONV, 48, 2, 1, K(3)), {{1, 24, 13, 12}}, WEIGHT},
    {"resnet up",
     CONV(PIX_OP_DECONV, 24, 2, 1, K(3), .output_pad_h = 1, .output_pad_w = 1),
     {{1, 48, 7, 6}},
     WEIGHT | BIAS},
    {"patchgan last", CONV(PIX_OP_CONV, 1, 1, 1, K(4)), {{1, 64, 9, 9}}, WEIGHT | BIAS},
    {"pixelgan", CONV(PIX_OP_CONV, 40, 1, 0, K(1)), {{2, 6, 11, 7}}, WEIGHT | BIAS},
    {"cryer last",
     {.kind = PIX_OP_CONV,
      .conv = {.oc = 3, K(4), .sh = 1, .sw = 1, .pad = {PIX_PAD_ZERO, 2, 2, 1, 1}}},
     {{1, 16, 10, 12}},
     WEIGHT | BIAS},
    /* Corners of the arithmetic. */
    {"1x1 map", CONV(PIX_OP_CONV, 5, 1, 1, K(3)), {{1, 5, 1, 1}}, WEIGHT | BIAS},
    {"batch 2", CONV(PIX_OP_CONV, 33, 2, 1, K(4)), {{2, 5, 10, 6}}, WEIGHT | BIAS},
    {"batch 3 up", CONV(PIX_OP_DECONV, 17, 2, 1, K(4)), {{3, 5, 5, 3}}, WEIGHT | BIAS},
    {"stride 3", CONV(PIX_OP_CONV, 7, 3, 2, K(5)), {{1, 3, 17, 16}}, WEIGHT},
    {"stride 3 up",
     CONV(PIX_OP_DECONV, 7, 3, 2, K(5), .output_pad_h = 1, .output_pad_w = 2),
     {{1, 3, 6, 5}},
     WEIGHT | BIAS},
    {"stride beyond the kernel", CONV(PIX_OP_CONV, 4, 3, 0, K(2)), {{1, 3, 11, 11}}, WEIGHT},
    {"stride beyond the kernel, up",
     CONV(PIX_OP_DECONV, 4, 3, 0, K(2)),
     {{1, 3, 4, 5}},
     WEIGHT | BIAS},
    {"one row", CONV(PIX_OP_CONV, 6, 1, 0, .kh = 1, .kw = 5), {{1, 9, 3, 21}}, WEIGHT},
    {"uneven kernel up",
     {.kind = PIX_OP_DECONV,
      .conv = {.oc = 6, .kh = 3, .kw = 2, .sh = 2, .sw = 1, .pad = {PIX_PAD_ZERO, 1, 0, 1, 0}}},
     {{2, 9, 4, 7}},
     WEIGHT},
    {"replicated border",
     {.kind = PIX_OP_CONV,
      .conv = {.oc = 9, K(5), .sh = 1, .sw = 1, .pad = {PIX_PAD_REPLICATE, 2, 2, 2, 2}}},
     {{1, 4, 3, 9}},
     WEIGHT},
    {"long sum", CONV(PIX_OP_CONV, 16, 1, 1, K(3)), {{1, 300, 5, 5}}, WEIGHT},
    {"many channels out", CONV(PIX_OP_CONV, 200, 1, 0, K(1)), {{1, 8, 9, 9}}, WEIGHT},
    {"large values", CONV(PIX_OP_CONV, 12, 2, 1, K(4)), {{1, 12, 8, 8}}, WEIGHT | BIAS, 1e4f},
    {"zeros", CONV(PIX_OP_CONV, 12, 2, 1, K(4)), {{1, 12, 8, 8}}, WEIGHT, 1e-30f},
    {"running norm and activation",
     CONV(PIX_OP_CONV, 37, 2, 1, K(4), .norm = {PIX_NORM_BATCH, true, 1e-5f},
          .activation = {PIX_ACTIVATION_LEAKY_RELU, 0.2f}),
     {{2, 6, 12, 12}},
     WEIGHT | BIAS | AFFINE | RUNNING},
    {"running norm up",
     CONV(PIX_OP_DECONV, 20, 2, 1, K(4), .norm = {PIX_NORM_BATCH, true, 1e-5f},
          .activation = {PIX_ACTIVATION_RELU}),
     {{1, 6, 6, 6}},
     WEIGHT | AFFINE | RUNNING},
    /* Minimal filtering: borders in the middle of a tile, several samples, blocks and panels. */
    {"two taps, odd map",
     {.kind = PIX_OP_CONV,
      .conv = {.oc = 20,
               K(4),
               .sh = 2,
               .sw = 2,
               .pad = {PIX_PAD_ZERO, 1, 2, 0, 1},
               .activation = {PIX_ACTIVATION_RELU}}},
     {{3, 16, 11, 14}},
     WEIGHT | BIAS},
    {"two taps of one stride",
     {.kind = PIX_OP_CONV, .conv = {.oc = 48, K(2), .sh = 1, .sw = 1}},
     {{1, 32, 3, 20}},
     WEIGHT},
    {"two taps, long and wide", CONV(PIX_OP_CONV, 200, 2, 1, K(4)), {{1, 80, 10, 10}}, WEIGHT},
    {"two taps of one stride down, two across",
     {.kind = PIX_OP_CONV,
      .conv = {.oc = 16, .kh = 2, .kw = 4, .sh = 1, .sw = 2, .pad = {PIX_PAD_REFLECT, 1, 1, 1, 1}}},
     {{2, 48, 6, 9}},
     WEIGHT | BIAS},
    {"two taps up, many blocks",
     CONV(PIX_OP_DECONV, 40, 2, 1, K(4), .norm = {PIX_NORM_BATCH, true, 1e-5f},
          .activation = {PIX_ACTIVATION_RELU}),
     {{2, 32, 25, 17}},
     WEIGHT | AFFINE | RUNNING},
    {"two taps up, uneven",
     {.kind = PIX_OP_DECONV,
      .conv = {.oc = 3, .kh = 4, .kw = 2, .sh = 2, .sw = 1, .pad = {PIX_PAD_ZERO, 0, 1, 1, 0}}},
     {{2, 16, 5, 7}},
     WEIGHT},
    {"two taps up, long", CONV(PIX_OP_DECONV, 70, 2, 1, K(4)), {{1, 528, 3, 4}}, WEIGHT},
    {"three taps, reflected, odd map",
     {.kind = PIX_OP_CONV,
      .conv = {.oc = 33, K(3), .sh = 1, .sw = 1, .pad = {PIX_PAD_REFLECT, 1, 1, 1, 1}}},
     {{2, 48, 9, 14}},
     WEIGHT | BIAS},
    {"three taps, replicated far",
     {.kind = PIX_OP_CONV,
      .conv = {.oc = 17, K(3), .sh = 1, .sw = 1, .pad = {PIX_PAD_REPLICATE, 4, 0, 2, 3}}},
     {{1, 16, 6, 5}},
     WEIGHT},
    {"three taps, long", CONV(PIX_OP_CONV, 24, 1, 1, K(3)), {{1, 304, 13, 13}}, WEIGHT},
    {"three taps up", CONV(PIX_OP_DECONV, 24, 1, 1, K(3)), {{1, 32, 9, 8}}, WEIGHT},
    /* Norms by the map's own statistics: small maps, large ones, those whose sums are split. */
    {"unet down with its norm",
     CONV(PIX_OP_CONV, 128, 2, 1, K(4), .norm = {PIX_NORM_BATCH, .eps = 1e-5f},
          .activation = {PIX_ACTIVATION_LEAKY_RELU, 0.2f}),
     {{1, 64, 32, 32}},
     WEIGHT | AFFINE | RUNNING},
    {"unet innermost up with its norm",
     CONV(PIX_OP_DECONV, 64, 2, 1, K(4), .norm = {PIX_NORM_BATCH, .eps = 1e-5f},
          .activation = {PIX_ACTIVATION_RELU}),
     {{1, 512, 1, 1}},
     WEIGHT | AFFINE},
    {"unet up with its norm and dropout",
     CONV(PIX_OP_DECONV, 64, 2, 1, K(4), .norm = {PIX_NORM_BATCH, .eps = 1e-5f},
          .activation = {PIX_ACTIVATION_RELU}, .dropout = {0.5f, 2, false}),
     {{1, 256, 4, 4}},
     WEIGHT | AFFINE},
    {"unet up on a large map",
     CONV(PIX_OP_DECONV, 32, 2, 1, K(4), .norm = {PIX_NORM_BATCH, .eps = 1e-5f},
          .activation = {PIX_ACTIVATION_RELU}),
     {{1, 16, 32, 32}},
     WEIGHT | AFFINE},
    {"resnet block with its norm",
     {.kind = PIX_OP_CONV,
      .conv = {.oc = 64,
               K(3),
               .sh = 1,
               .sw = 1,
               .pad = {PIX_PAD_REFLECT, 1, 1, 1, 1},
               .norm = {PIX_NORM_INSTANCE, .eps = 1e-5f}}},
     {{1, 64, 33, 35}},
     WEIGHT | BIAS},
    {"instance norm and dropout, large, batch 3",
     CONV(PIX_OP_CONV, 13, 1, 1, K(3), .norm = {PIX_NORM_INSTANCE, .eps = 1e-5f},
          .activation = {PIX_ACTIVATION_RELU}, .dropout = {0.3f, 1, false}),
     {{3, 6, 37, 41}},
     WEIGHT | BIAS | AFFINE},
    {"batch norm and dropout, batch 2",
     CONV(PIX_OP_DECONV, 37, 2, 1, K(4), .norm = {PIX_NORM_BATCH, .eps = 1e-5f},
          .activation = {PIX_ACTIVATION_LEAKY_RELU, 0.2f}, .dropout = {0.5f, 3, false}),
     {{2, 200, 3, 5}},
     WEIGHT | BIAS | AFFINE},
    {"instance norm of a picture",
     CONV(PIX_OP_CONV, 3, 1, 3, K(7), .norm = {PIX_NORM_INSTANCE, .eps = 1e-5f},
          .activation = {PIX_ACTIVATION_TANH}),
     {{2, 16, 21, 19}},
     WEIGHT | BIAS},
    {"batch norm of one sum",
     CONV(PIX_OP_CONV, 9, 2, 1, K(4), .norm = {PIX_NORM_BATCH, .eps = 1e-5f}),
     {{1, 64, 2, 2}},
     WEIGHT | AFFINE},
    {"unet up from a skip",
     CONV(PIX_OP_DECONV, 32, 2, 1, K(4), .rectifies = true, .norm = {PIX_NORM_BATCH, .eps = 1e-5f},
          .activation = {PIX_ACTIVATION_RELU}),
     {{1, 128, 8, 8}},
     WEIGHT | AFFINE},
    {"rectified picture",
     {.kind = PIX_OP_CONV,
      .conv = {.oc = 9,
               K(5),
               .sh = 1,
               .sw = 1,
               .pad = {PIX_PAD_REFLECT, 2, 2, 2, 2},
               .rectifies = true}},
     {{1, 3, 9, 11}},
     WEIGHT | BIAS},
    {"rectified, to a picture",
     CONV(PIX_OP_DECONV, 3, 2, 1, K(4), .rectifies = true, .activation = {PIX_ACTIVATION_TANH}),
     {{1, 64, 9, 7}},
     WEIGHT | BIAS},
    {"batch norm",
     {.kind = PIX_OP_NORM, .norm = {PIX_NORM_BATCH, .eps = 1e-5f}},
     {{2, 19, 7, 9}},
     AFFINE},
    {"batch norm of one pixel",
     {.kind = PIX_OP_NORM, .norm = {PIX_NORM_BATCH, .eps = 1e-5f}},
     {{1, 8, 1, 1}},
     AFFINE},
    {"batch norm, running",
     {.kind = PIX_OP_NORM,
      .norm = {PIX_NORM_BATCH, true, 1e-5f, {PIX_ACTIVATION_LEAKY_RELU, 0.2f}}},
     {{2, 19, 7, 9}},
     AFFINE | RUNNING},
    {"instance norm",
     {.kind = PIX_OP_NORM,
      .norm = {PIX_NORM_INSTANCE, .eps = 1e-5f, .activation = {PIX_ACTIVATION_RELU}}},
     {{3, 5, 20, 30}},
     0},
    {"instance norm, far from zero",
     {.kind = PIX_OP_NORM,
      .norm = {PIX_NORM_INSTANCE, .eps = 1e-5f, .activation = {PIX_ACTIVATION_TANH}}},
     {{1, 33, 40, 50}},
     AFFINE,
     100},
    {"relu", {.kind = PIX_OP_ACTIVATION, .activation = {PIX_ACTIVATION_RELU}}, {{2, 3, 9, 7}}, 0},
    {"leaky relu",
     {.kind = PIX_OP_ACTIVATION, .activation = {PIX_ACTIVATION_LEAKY_RELU, 0.2f}},
     {{1, 130, 9, 17}},
     0},
    {"tanh",
     {.kind = PIX_OP_ACTIVATION, .activation = {PIX_ACTIVATION_TANH}},
     {{1, 3, 50, 70}},
     0,
     3},
    {"tanh of little",
     {.kind = PIX_OP_ACTIVATION, .activation = {PIX_ACTIVATION_TANH}},
     {{1, 3, 20, 20}},
     0,
     1e-4f},
    {"tanh of much",
     {.kind = PIX_OP_ACTIVATION, .activation = {PIX_ACTIVATION_TANH}},
     {{1, 3, 20, 20}},
     0,
     1e6f},
    {"dropout", {.kind = PIX_OP_DROPOUT, .dropout = {0.5f, 2, false}}, {{2, 5, 9, 15}}, 0},
    {"dropout, many channels",
     {.kind = PIX_OP_DROPOUT, .dropout = {0.3f, 0, false}},
     {{1, 40, 3, 50}},
     0},
    {"dropout, off", {.kind = PIX_OP_DROPOUT, .dropout = {0.5f, 2, true}}, {{2, 5, 9, 15}}, 0},
    {"zero padding", {.kind = PIX_OP_PAD, .pad = {PIX_PAD_ZERO, 1, 2, 3, 0}}, {{2, 3, 4, 5}}, 0},
    {"reflection", {.kind = PIX_OP_PAD, .pad = {PIX_PAD_REFLECT, 3, 2, 1, 4}}, {{2, 3, 4, 5}}, 0},
    {"replication",
     {.kind = PIX_OP_PAD, .pad = {PIX_PAD_REPLICATE, 3, 7, 9, 4}},
     {{1, 3, 1, 2}},
     0},
    {"concatenation", {.kind = PIX_OP_CONCAT}, {{2, 3, 8, 5}, {2, 6, 8, 5}}, 0},
    {"addition", {.kind = PIX_OP_ADD}, {{2, 130, 8, 15}, {2, 130, 8, 15}}, 0},
    {"upsampling", {.kind = PIX_OP_UPSAMPLE, .factor = 2}, {{2, 3, 5, 7}}, 0},
    {"upsampling by 3", {.kind = PIX_OP_UPSAMPLE, .factor = 3}, {{1, 17, 5, 7}}, 0},
    /* What is not finite stays so, in its own place or channel. */
    {"relu of NaN",
     {.kind = PIX_OP_ACTIVATION, .activation = {PIX_ACTIVATION_RELU}},
     {{1, 13, 9, 7}},
     .breaks = true},
    {"leaky relu of NaN",
     {.kind = PIX_OP_ACTIVATION, .activation = {PIX_ACTIVATION_LEAKY_RELU, 0.2f}},
     {{1, 13, 9, 7}},
     .breaks = true},
    {"tanh of NaN",
     {.kind = PIX_OP_ACTIVATION, .activation = {PIX_ACTIVATION_TANH}},
     {{1, 13, 9, 7}},
     .breaks = true},
    {"addition of NaN", {.kind = PIX_OP_ADD}, {{1, 3, 9, 7}, {1, 3, 9, 7}}, .breaks = true},
    {"convolution of NaN",
     CONV(PIX_OP_CONV, 5, 1, 0, K(1), .activation = {PIX_ACTIVATION_RELU}),
     {{1, 5, 9, 7}},
     WEIGHT | BIAS,
     .breaks = true},
    {"convolution of NaN, in fours",
     CONV(PIX_OP_CONV, 8, 1, 0, K(1), .activation = {PIX_ACTIVATION_TANH}),
     {{1, 8, 9, 7}},
     WEIGHT | BIAS,
     .breaks = true},
    {"rectified NaN",
     CONV(PIX_OP_CONV, 5, 1, 0, K(1), .rectifies = true),
     {{1, 5, 9, 7}},
     WEIGHT,
     .breaks = true},
    {"batch norm of NaN",
     {.kind = PIX_OP_NORM,
      .norm = {PIX_NORM_BATCH, .eps = 1e-5f, .activation = {PIX_ACTIVATION_RELU}}},
     {{2, 19, 7, 9}},
     AFFINE,
     .breaks = true},
    {"batch norm of NaN, running",
     {.kind = PIX_OP_NORM,
      .norm = {PIX_NORM_BATCH, true, 1e-5f, {PIX_ACTIVATION_LEAKY_RELU, 0.2f}}},
     {{2, 19, 7, 9}},
     AFFINE | RUNNING,
     .breaks = true},
    {"instance norm of NaN",
     {.kind = PIX_OP_NORM,
      .norm = {PIX_NORM_INSTANCE, .eps = 1e-5f, .activation = {PIX_ACTIVATION_RELU}}},
     {{2, 5, 40, 50}},
     .breaks = true},
};

#define FENCE 2 /* channels on each side */

/* As memory of @dtype would give them back. */
static void round_to(PixDtype dtype, float *values, size_t count)
{
    g_autofree char *stored = g_malloc(count * pix_dtype_bytes(dtype));
    pix_dtype_from_floats(dtype, values, stored, count);
    pix_dtype_to_floats(dtype, stored, values, count);
}

static double *to_double(const float *values, size_t count)
{
    double *copy = g_new(double, count);
    for (size_t i = 0; i < count; i++)
        copy[i] = (double)values[i];
    return copy;
}

static void param_dims(const Case *k, PixSlot slot, PixShape out, int dims[4])
{
    const PixConvOp *o = &k->op.conv;
    bool conv = k->op.kind == PIX_OP_CONV;
    int c = k->in[0].c;
    int weight[4] = {conv ? o->oc : c, conv ? c : o->oc, o->kh, o->kw};
    int vector[4] = {out.c, 1, 1, 1};
    memcpy(dims, slot == PIX_SLOT_WEIGHT ? weight : vector, sizeof weight);
}

/* Weights are of @dtype; those that are none lie in one row. */
static void params_new(PixDevice *device, const Case *k, PixShape out, PixDtype dtype,
                       Fenced params[PIX_SLOT_COUNT])
{
    PixShape vectors[PIX_SLOT_COUNT] = {{0}};
    int dims[4];
    for (int slot = PIX_SLOT_BIAS; slot < PIX_SLOT_COUNT; slot++)
        if (k->slots & BIT(slot))
            vectors[slot] = (PixShape){1, out.c, 1, 1};
    fenced_new_row(device, vectors, PIX_SLOT_COUNT, params);
    param_dims(k, PIX_SLOT_WEIGHT, out, dims);
    if (k->slots & WEIGHT)
        params[PIX_SLOT_WEIGHT] = fenced_new_weight(device, &k->op, dims, dtype);
}

/*
 * Fills a parameter on the device and for the specification; weights are of @dtype. It must come back
 * as it was.
 */
static double *make_param(PixDevice *device, const Case *k, PixSlot slot, PixShape out,
                          PixDtype dtype, const Fenced *fenced, PixTensor *tensor)
{
    const PixBackend *backend = device->backend;
    int dims[4];
    param_dims(k, slot, out, dims);
    PixShape shape = {dims[0], dims[1], dims[2], dims[3]};
    size_t count = pix_shape_count(shape);
    g_autofree float *values = g_new(float, count), *back = g_new0(float, count);
    compare_fill(values, count, slot == PIX_SLOT_WEIGHT ? 0.1f : 1, 77 + slot);
    if (slot == PIX_SLOT_VARIANCE)
        for (size_t i = 0; i < count; i++)
            values[i] = fabsf(values[i]) + 0.1f;
    *tensor = fenced->tensor;
    if (slot == PIX_SLOT_WEIGHT) {
        *tensor = (PixTensor){shape, tensor->buffer, tensor->offset, 0, shape.c, dtype};
        round_to(dtype, values, count);
        assert_true(backend->write_weight(device, tensor, &k->op, dims, values, NULL));
        assert_true(backend->read_weight(device, tensor, &k->op, dims, back, NULL));
    } else {
        assert_true(backend->write(device, tensor, values, NULL));
        assert_true(backend->read(device, tensor, back, NULL));
    }
    assert_memory_equal(values, back, count * sizeof *values);
    return to_double(values, count);
}

/* NaN of either sign and infinities, each in a pixel and a channel of its own. */
static void break_values(float *values, size_t count)
{
    const float broken[] = {NAN, -NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++)
        values[count / 5 * (i + 1) + i] = broken[i];
}

/* @copy: (out): the same numbers for the specification. */
static Fenced make_input(PixDevice *device, const Case *k, int index, PixDtype dtype,
                         const double **copy)
{
    Fenced f = fenced_new_map(device, k->in[index], FENCE, dtype);
    g_autofree float *values = g_new(float, f.count);
    compare_fill(values, f.count, k->range ? k->range : 1, 1 + (guint)index);
    if (k->op.kind == PIX_OP_NORM && k->range) /* far from zero, and little spread */
        for (size_t j = 0; j < f.count; j++)
            values[j] = k->range + values[j] / k->range;
    if (k->breaks)
        break_values(values, f.count);
    round_to(dtype, values, f.count);
    fenced_write(device, &f, values);
    *copy = to_double(values, f.count);
    return f;
}

/* What the row prepares of the call's parameters. */
static Fenced prepare(PixDevice *device, PixCall *call)
{
    size_t bytes = pix_backend_prepared(device, call);
    Fenced prepared = fenced_new_scratch(device, bytes);
    if (bytes > 0) {
        call->prepared = (PixRange){prepared.tensor.buffer, 0, bytes};
        pix_backend_prepare(device, call);
    }
    return prepared;
}

static void run_case(PixDevice *device, const Case *k, PixFormat format, bool in_place)
{
    const PixBackend *backend = device->backend;
    const PixFrame frame = {.seed = 42, .number = 7};
    PixCall call = {.op = &k->op, .frame = &frame};
    RefCall ref = {.op = &k->op, .frame = frame};
    Fenced in[PIX_MAX_INPUTS] = {{{{0}}}}, params[PIX_SLOT_COUNT];
    PixShape shape;
    int n_inputs = pix_op_n_inputs(k->op.kind);
    assert_true(pix_op_infer(&k->op, k->in, &shape, NULL));
    for (int i = 0; i < n_inputs; i++) {
        in[i] = make_input(device, k, i, format.maps, &ref.x[i]);
        call.in[i] = in[i].tensor;
        ref.shape[i] = k->in[i];
    }
    params_new(device, k, shape, format.weights, params);
    for (int slot = 0; slot < PIX_SLOT_COUNT; slot++)
        if (k->slots & BIT(slot))
            ref.param[slot] = make_param(device, k, (PixSlot)slot, shape, format.weights,
                                         &params[slot], &call.param[slot]);
    Fenced out = fenced_new_map(device, shape, FENCE, format.maps);
    call.out = in_place ? call.in[0] : out.tensor;
    Fenced scratch = fenced_new_scratch(device, pix_backend_scratch(device, &call, false));
    call.scratch = scratch.tensor.buffer;
    Fenced prepared = prepare(device, &call);
    pix_backend_forward(device, &call);

    g_autofree float *found = g_new(float, out.count);
    g_autofree double *expected = g_new(double, out.count);
    assert_true(backend->read(device, &call.out, found, NULL));
    ref_forward(&ref, expected);
    CompareError e = compare(found, expected, out.count);
    double most = MAX(k->nmse ? k->nmse : NMSE, format.maps == PIX_DTYPE_F16 ? HALF_NMSE : 0);
    if (!e.finite || e.nmse > most)
        fail_msg("%s (%s, %s, maps of %s%s): NMSE %.2e, worst at %zu: %.9g instead of %.9g",
                 k->name, pix_op_name(k->op.kind), device->info.features,
                 pix_dtype_name(format.maps), in_place ? ", in place" : "", e.nmse, e.worst,
                 (double)found[e.worst], expected[e.worst]);
    fenced_end(device, &out);
    fenced_end(device, &scratch);
    fenced_end(device, &prepared);
    for (int i = 0; i < n_inputs; i++) {
        fenced_end(device, &in[i]);
        g_free((double *)ref.x[i]);
    }
    for (int slot = PIX_SLOT_COUNT - 1; slot >= 0; slot--) /* the first of a row owns it */
        if (k->slots & BIT(slot)) {
            fenced_end(device, &params[slot]);
            g_free((double *)ref.param[slot]);
        }
}

static void run_cases(PixDevice *device, PixFormat format)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const PixOp *op = &cases[i].op;
        const PixRow *row = &device->backend->rows[op->kind];
        bool conv = op->kind == PIX_OP_CONV || op->kind == PIX_OP_DECONV;
        if (conv && op->conv.rectifies && !row->rectifies)
            continue;
        run_case(device, &cases[i], format, false);
        if (row->in_place)
            run_case(device, &cases[i], format, true);
    }
}

static void test_device(void **state)
{
    run_cases(*state, (PixFormat){0});
}

static void test_half(void **state)
{
    PixDevice *device = *state;
    PixFormat format;
    assert_true(device->backend->format(device, PIX_PRECISION_FP16, &format));
    run_cases(device, format);
}

/* The same bits for any number of threads. */
static void test_threads(void **state)
{
    const Case *k = &cases[4];
    float first[16 * 16 * 32], again[16 * 16 * 32];
    for (unsigned threads = 1; threads <= 5; threads++) {
        PixDevice *device = pix_device_open("cpu", threads, NULL);
        const PixBackend *backend = device->backend;
        PixShape in = k->in[0], out;
        assert_true(pix_op_infer(&k->op, k->in, &out, NULL));
        assert_int_equal(pix_shape_count(out), G_N_ELEMENTS(first));
        g_autofree float *x = g_new(float, pix_shape_count(in));
        compare_fill(x, pix_shape_count(in), 1, 9);
        PixCall call = {.op = &k->op};
        Fenced params[PIX_SLOT_COUNT];
        params_new(device, k, out, PIX_DTYPE_F32, params);
        g_free(make_param(device, k, PIX_SLOT_WEIGHT, out, PIX_DTYPE_F32, &params[PIX_SLOT_WEIGHT],
                          &call.param[PIX_SLOT_WEIGHT]));
        call.in[0] = (PixTensor){
            in,
            backend->buffer_new(device, backend->activation_bytes(device, in, PIX_DTYPE_F32), NULL),
            0, 0, in.c};
        call.out =
            (PixTensor){out,
                        backend->buffer_new(
                            device, backend->activation_bytes(device, out, PIX_DTYPE_F32), NULL),
                        0, 0, out.c};
        call.scratch = backend->buffer_new(device, pix_backend_scratch(device, &call, false), NULL);
        backend->write(device, &call.in[0], x, NULL);
        pix_backend_forward(device, &call);
        backend->read(device, &call.out, threads == 1 ? first : again, NULL);
        if (threads > 1)
            assert_memory_equal(first, again, sizeof first);
        backend->buffer_free(device, call.in[0].buffer);
        backend->buffer_free(device, call.out.buffer);
        backend->buffer_free(device, call.param[PIX_SLOT_WEIGHT].buffer);
        backend->buffer_free(device, call.scratch);
        pix_device_unref(device);
    }
}

/* An image is not made of what is no number. */
static void test_nan_is_no_pixel(void **state)
{
    g_autoptr(PixDevice) device = pix_device_open("cpu", 2, NULL);
    const PixBackend *backend = device->backend;
    PixShape shape = {1, 3, 9, 9};
    PixTensor tensor = {
        shape,
        backend->buffer_new(device, backend->activation_bytes(device, shape, PIX_DTYPE_F32), NULL),
        0, 0, shape.c};
    float values[3 * 9 * 9] = {0};
    guint8 pixels[3 * 9 * 9];
    PixImage image = {pixels, 27, 9, 9, 3, 3, {0, 1, 2}};
    PixVideo video;
    PixRect all = {0, 0, 9, 9};
    GError *error = NULL;
    pix_video_from_image(&image, &video);
    assert_true(backend->write(device, &tensor, values, NULL));
    assert_true(backend->read_image(device, &tensor, &video, all, NULL));
    values[200] = NAN;
    assert_true(backend->write(device, &tensor, values, NULL));
    assert_false(backend->read_image(device, &tensor, &video, all, &error));
    assert_int_equal(error->code, PIX_ERROR_BAD_CHECKPOINT);
    g_error_free(error);
    backend->buffer_free(device, tensor.buffer);
}

static int open_with(const char *words, void **state)
{
    g_setenv("PIX2PIX_VULKAN", words, TRUE);
    int result = open_level(state);
    g_unsetenv("PIX2PIX_VULKAN");
    return result;
}

/* With the shaders that the fast ones are compared with. */
static int open_simple(void **state)
{
    return open_with("simple", state);
}

/* With all of the shader for tensor cores but those. */
static int open_matrix(void **state)
{
    return open_with("matrix", state);
}

int main(void)
{
    static const char *const levels[] = {"c,direct:1",
                                         "c,winograd-2x2:1",
                                         "c,winograd-3x3:2",
                                         "c,winograd-4x4:1",
                                         "openblas:2",
                                         "avx2,direct:2",
                                         "avx2,winograd-2x2:2",
                                         "avx2,winograd-3x3:1",
                                         "avx2,winograd-4x4:2",
                                         "avx512:1",
                                         "avx512,direct:3",
                                         "avx512,winograd-2x2:1",
                                         "avx512,winograd-3x3:2",
                                         "avx512,winograd-4x4:3",
                                         "vulkan"};
    struct CMUnitTest tests[G_N_ELEMENTS(levels) + 7] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_nan_is_no_pixel),
    };
    size_t n = 2;
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
        if (has_level(levels[i]))
            tests[n++] = (struct CMUnitTest){levels[i], test_device, open_level, close_device,
                                             (void *)levels[i]};
    if (has_level("vulkan")) {
        void *level = (void *)"vulkan";
        tests[n++] = (struct CMUnitTest){"vulkan, simple shaders", test_device, open_simple,
                                         close_device, level};
        tests[n++] =
            (struct CMUnitTest){"vulkan in fp16", test_half, open_level, close_device, level};
        tests[n++] =
            (struct CMUnitTest){"vulkan, matrices", test_device, open_matrix, close_device, level};
        tests[n++] = (struct CMUnitTest){"vulkan in fp16, matrices", test_half, open_matrix,
                                         close_device, level};
        tests[n++] = (struct CMUnitTest){"vulkan in fp16, simple shaders", test_half, open_simple,
                                         close_device, level};
    }
    return _cmocka_run_group_tests("kernels", tests, n, NULL, NULL);
}
