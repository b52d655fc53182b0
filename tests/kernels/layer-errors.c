/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How exact the convolutions of the published networks are, at ngf 64 and 256x256, by each algorithm
 * that can do them: the largest error, against loops in double, in parts of the largest output.
 * Takes minutes; not a test. "layer-errors [LEVEL]", as in PIX2PIX_CPU.
 */
#include <math.h>
#include <stdio.h>

#include "compare.h"
#include "kernel-run.h"
#include "levels.h"

#define UNET .kh = 4, .kw = 4, .sh = 2, .sw = 2, .pad = {PIX_PAD_ZERO, 1, 1, 1, 1}
#define DOWN(c, side, out)                                                                         \
    {                                                                                              \
        "unet", {.kind = PIX_OP_CONV, .conv = {.oc = out, UNET}}, {{1, c, side, side}}, WEIGHT, 0  \
    }
#define UP(c, side, out)                                                                           \
    {                                                                                              \
        "unet", {.kind = PIX_OP_DECONV, .conv = {.oc = out, UNET}}, {{1, c, side, side}}, WEIGHT,  \
            0                                                                                      \
    }

static const KernelCase layers[] = {
    DOWN(3, 256, 64),
    DOWN(64, 128, 128),
    DOWN(128, 64, 256),
    DOWN(256, 32, 512),
    DOWN(512, 16, 512),
    DOWN(512, 8, 512),
    UP(1024, 4, 512),
    UP(1024, 8, 512),
    UP(1024, 16, 256),
    UP(512, 32, 128),
    UP(256, 64, 64),
    UP(128, 128, 3),
    {"resnet block",
     {.kind = PIX_OP_CONV,
      .conv =
          {.oc = 256, .kh = 3, .kw = 3, .sh = 1, .sw = 1, .pad = {PIX_PAD_REFLECT, 1, 1, 1, 1}}},
     {{1, 256, 64, 64}},
     WEIGHT,
     0},
};

static double largest_of(const double *values, size_t count)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = MAX(largest, fabs(values[i]));
    return largest;
}

/* @expected: (inout): what the specification says, once it is known. */
static void measure(PixDevice *device, const KernelCase *layer, double **expected)
{
    KernelRun run;
    kernel_run_begin(&run, device, layer, (KernelWay){.fixed = true});
    g_autofree float *found = kernel_run_output(&run);
    if (!*expected) {
        *expected = g_new(double, run.count);
        ref_forward(&run.ref, *expected);
    }
    CompareError error = compare(found, *expected, run.count);
    printf("  %s %.1e", device->backend->rows[layer->op.kind].algorithm(device, &run.call),
           error.largest / largest_of(*expected, run.count));
    fflush(stdout);
    kernel_run_end(&run);
}

static void measure_layer(const char *level, const KernelCase *layer)
{
    static const char *const ways[] = {"direct", "winograd-2x2", "winograd-3x3", "winograd-4x4"};
    bool block = layer->op.conv.kh == 3;
    g_autofree double *expected = NULL;
    PixShape out;
    pix_op_infer(&layer->op, layer->in, &out, NULL);
    g_autofree char *what = pix_op_describe(&layer->op, layer->in[0], out);
    printf("%s:", what);
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autofree char *words = g_strdup_printf("%s,%s:2", level, ways[i]);
        bool has = i < 2 || (i == 3) == block;
        g_autoptr(PixDevice) device = has ? level_open(words) : NULL;
        if (device)
            measure(device, layer, &expected);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < G_N_ELEMENTS(layers); i++)
        measure_layer(argc > 1 ? argv[1] : "avx512", &layers[i]);
    return 0;
}
