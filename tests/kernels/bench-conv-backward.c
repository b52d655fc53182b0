/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-conv-backward.h"

#include <stdio.h>

#include "backend.h"
#include "clock.h"
#include "compare.h"

#define ROUNDS 8
#define VULKAN_ROUNDS 3
#define LARGE_SIDE 32

typedef struct {
    const char *name;
    PixOpKind kind;
    int c, side, oc, stride; /* kernels are 4x4, padding is 1 */
} Layer;

static const Layer layers[] = {
    {"G down 1", PIX_OP_CONV, 3, 256, 64, 2},    {"G down 2", PIX_OP_CONV, 64, 128, 128, 2},
    {"G down 3", PIX_OP_CONV, 128, 64, 256, 2},  {"G down 4", PIX_OP_CONV, 256, 32, 512, 2},
    {"G down 5", PIX_OP_CONV, 512, 16, 512, 2},  {"G down 6", PIX_OP_CONV, 512, 8, 512, 2},
    {"G down 7", PIX_OP_CONV, 512, 4, 512, 2},   {"G down 8", PIX_OP_CONV, 512, 2, 512, 2},
    {"G up 8", PIX_OP_DECONV, 512, 1, 512, 2},   {"G up 7", PIX_OP_DECONV, 1024, 2, 512, 2},
    {"G up 6", PIX_OP_DECONV, 1024, 4, 512, 2},  {"G up 5", PIX_OP_DECONV, 1024, 8, 512, 2},
    {"G up 4", PIX_OP_DECONV, 1024, 16, 256, 2}, {"G up 3", PIX_OP_DECONV, 512, 32, 128, 2},
    {"G up 2", PIX_OP_DECONV, 256, 64, 64, 2},   {"G up 1", PIX_OP_DECONV, 128, 128, 3, 2},
    {"D 1", PIX_OP_CONV, 6, 256, 64, 2},         {"D 2", PIX_OP_CONV, 64, 128, 128, 2},
    {"D 3", PIX_OP_CONV, 128, 64, 256, 2},       {"D 4", PIX_OP_CONV, 256, 32, 512, 1},
    {"D 5", PIX_OP_CONV, 512, 31, 1, 1},
};

enum { FORWARD, DATA, WEIGHT, DIRECTIONS };

typedef struct {
    PixOp op;
    PixCall calls[DIRECTIONS];
    double flops, ms[DIRECTIONS];
} Bench;

/* The first @floats of a buffer as a vector. */
static PixTensor raw(PixBuffer *buffer, size_t floats)
{
    return (PixTensor){{1, (int)floats, 1, 1}, buffer, 0, 0, (int)floats};
}

static PixTensor tensor_new(PixDevice *device, PixShape shape, size_t bytes)
{
    PixTensor t = {shape, device->backend->buffer_new(device, bytes, NULL), 0, 0, shape.c};
    PixTensor whole = raw(t.buffer, bytes / sizeof(float));
    g_autofree float *values = g_malloc(bytes);
    compare_fill(values, bytes / sizeof(float), 1, 1);
    device->backend->write(device, &whole, values, NULL);
    return t;
}

static PixTensor map_new(PixDevice *device, PixShape shape)
{
    return tensor_new(device, shape,
                      device->backend->activation_bytes(device, shape, PIX_DTYPE_F32));
}

static void bench_init(PixDevice *device, const Layer *layer, Bench *b)
{
    bool conv = layer->kind == PIX_OP_CONV;
    b->op = (PixOp){.kind = layer->kind,
                    .conv = {.oc = layer->oc,
                             .kh = 4,
                             .kw = 4,
                             .sh = layer->stride,
                             .sw = layer->stride,
                             .pad = {PIX_PAD_ZERO, 1, 1, 1, 1}}};
    const int dims[4] = {conv ? layer->oc : layer->c, conv ? layer->c : layer->oc, 4, 4};
    PixShape in = {1, layer->c, layer->side, layer->side}, out;
    PixShape weight = {dims[0], dims[1], dims[2], dims[3]};
    size_t bytes = device->backend->weight_bytes(device, &b->op, dims, PIX_DTYPE_F32);
    pix_op_infer(&b->op, &in, &out, NULL);
    b->flops = pix_op_flops(&b->op, &in, out);
    PixCall call = {.op = &b->op, .in = {map_new(device, in)}, .out = map_new(device, out)};
    call.param[PIX_SLOT_WEIGHT] = tensor_new(device, weight, bytes);
    for (int i = 0; i < DIRECTIONS; i++)
        b->calls[i] = call;
    b->calls[DATA].dout = b->calls[WEIGHT].dout = call.out;
    b->calls[DATA].din[0] = map_new(device, in);
    b->calls[WEIGHT].dparam[PIX_SLOT_WEIGHT] = tensor_new(device, weight, bytes);
}

static void bench_clear(PixDevice *device, Bench *b)
{
    PixBuffer *buffers[] = {b->calls[FORWARD].in[0].buffer, b->calls[FORWARD].out.buffer,
                            b->calls[FORWARD].param[PIX_SLOT_WEIGHT].buffer,
                            b->calls[DATA].din[0].buffer,
                            b->calls[WEIGHT].dparam[PIX_SLOT_WEIGHT].buffer};
    for (size_t i = 0; i < G_N_ELEMENTS(buffers); i++)
        device->backend->buffer_free(device, buffers[i]);
}

static void run(PixDevice *device, const PixCall *call, int direction)
{
    PixTensor first = raw(call->scratch, 1);
    float value;
    if (direction == FORWARD)
        pix_backend_forward(device, call);
    else
        pix_backend_backward(device, call);
    device->backend->read(device, &first, &value, NULL); /* waits */
}

static double processor_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void measure(PixDevice *device, Bench *b, int direction, double (*clock_ms)(void))
{
    double before = clock_ms();
    run(device, &b->calls[direction], direction);
    double ms = clock_ms() - before;
    b->ms[direction] = b->ms[direction] > 0 ? MIN(b->ms[direction], ms) : ms;
}

static void run_rounds(PixDevice *device, Bench *benches, int count)
{
    size_t bytes = 0;
    for (int i = 0; i < count; i++)
        for (int d = 0; d < DIRECTIONS; d++)
            bytes = MAX(bytes, pix_backend_scratch(device, &benches[i].calls[d], d != FORWARD));
    PixBuffer *scratch = device->backend->buffer_new(device, bytes + sizeof(float), NULL);
    for (int round = 0; round < ROUNDS; round++)
        for (int d = 0; d < DIRECTIONS; d++)
            for (int i = 0; i < count; i++) {
                benches[i].calls[d].scratch = scratch;
                measure(device, &benches[i], d, pix_clock_ms);
            }
    device->backend->buffer_free(device, scratch);
}

static void print_row(const char *name, const char *what, double flops, const double *ms)
{
    printf("%-9s %-42s", name, what);
    for (int d = 0; d < DIRECTIONS; d++)
        printf(" %8.3f ms %6.1f", ms[d], flops / ms[d] * 1e-6);
    printf("\n");
}

void bench_conv_backward(unsigned threads)
{
    g_autoptr(PixDevice) device = pix_device_open("cpu", threads, NULL);
    Bench benches[G_N_ELEMENTS(layers)] = {0};
    double ms[DIRECTIONS] = {0}, flops = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(layers); i++)
        bench_init(device, &layers[i], &benches[i]);
    run_rounds(device, benches, (int)G_N_ELEMENTS(layers));
    printf("%s: forward, data gradient, weight gradient; GFLOP/s\n", device->info.features);
    for (size_t i = 0; i < G_N_ELEMENTS(layers); i++) {
        const PixCall *call = &benches[i].calls[FORWARD];
        g_autofree char *what = pix_op_describe(call->op, call->in[0].shape, call->out.shape);
        print_row(layers[i].name, what, benches[i].flops, benches[i].ms);
        flops += benches[i].flops;
        for (int d = 0; d < DIRECTIONS; d++)
            ms[d] += benches[i].ms[d];
        bench_clear(device, &benches[i]);
    }
    print_row("all", "", flops, ms);
}

/* ---- Vulkan ---- */

enum { TILED, SIMPLE, VARIANTS };

/* Whose maps keep a device busy. */
static bool is_large(const Layer *layer)
{
    int side = layer->kind == PIX_OP_CONV ? layer->side : layer->side * layer->stride;
    return side >= LARGE_SIDE;
}

static PixDevice *open_variant(int variant)
{
    g_setenv("PIX2PIX_VULKAN", variant == SIMPLE ? "simple" : "", TRUE);
    PixDevice *device = pix_device_open("vulkan", 0, NULL);
    g_unsetenv("PIX2PIX_VULKAN");
    PixPrecision precision = PIX_PRECISION_FP32;
    PixFormat format;
    return device && pix_backend_format(device, &precision, &format, NULL) ? device : NULL;
}

static void add_scratch(PixDevice *device, Bench *b)
{
    for (int d = 0; d < DIRECTIONS; d++) {
        size_t bytes = pix_backend_scratch(device, &b->calls[d], d != FORWARD) + sizeof(float);
        b->calls[d].scratch = device->backend->buffer_new(device, bytes, NULL);
        run(device, &b->calls[d], d); /* makes pipelines */
    }
}

static void print_ratios(const char *name, const double *tiled, const double *simple)
{
    printf("%-9s", name);
    for (int d = 0; d < DIRECTIONS; d++)
        printf(" %9.2f ms %5.2f", tiled[d], tiled[d] / simple[d]);
    printf("\n");
}

/* Adds to @ms what it takes. */
static void bench_variants(PixDevice *const *devices, const Layer *layer, double (*clock_ms)(void),
                           double ms[VARIANTS][DIRECTIONS])
{
    Bench benches[VARIANTS] = {0};
    for (int v = 0; v < VARIANTS; v++) {
        bench_init(devices[v], layer, &benches[v]);
        add_scratch(devices[v], &benches[v]);
    }
    for (int round = 0; round < VULKAN_ROUNDS; round++)
        for (int d = 0; d < DIRECTIONS; d++)
            for (int v = 0; v < VARIANTS; v++)
                measure(devices[v], &benches[v], d, clock_ms);
    print_ratios(layer->name, benches[TILED].ms, benches[SIMPLE].ms);
    for (int v = 0; v < VARIANTS; v++) {
        for (int d = 0; d < DIRECTIONS; d++) {
            ms[v][d] += benches[v].ms[d];
            devices[v]->backend->buffer_free(devices[v], benches[v].calls[d].scratch);
        }
        bench_clear(devices[v], &benches[v]);
    }
}

void bench_conv_vulkan(bool processor)
{
    PixDevice *devices[VARIANTS] = {open_variant(TILED), open_variant(SIMPLE)};
    g_return_if_fail(devices[TILED] && devices[SIMPLE]);
    printf("%s: forward, data gradient, weight gradient; of the simple variant's time\n",
           devices[TILED]->info.name);
    double ms[2][VARIANTS][DIRECTIONS] = {0};
    for (size_t i = 0; i < G_N_ELEMENTS(layers); i++)
        bench_variants(devices, &layers[i], processor ? processor_ms : pix_clock_ms,
                       ms[is_large(&layers[i])]);
    print_ratios("32x32...", ms[1][TILED], ms[1][SIMPLE]);
    print_ratios("smaller", ms[0][TILED], ms[0][SIMPLE]);
    for (int v = 0; v < VARIANTS; v++)
        pix_device_unref(devices[v]);
}
