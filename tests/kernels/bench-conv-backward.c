/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-conv-backward.h"

#include <stdio.h>

#include "clock.h"
#include "compare.h"
#include "cpu-private.h"

#define ROUNDS 8

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

static PixTensor tensor_new(PixDevice *device, PixShape shape, size_t bytes)
{
    PixTensor t = {shape, device->backend->buffer_new(device, bytes, NULL), 0, 0, shape.c};
    compare_fill(t.buffer->data, bytes / sizeof(float), 1, 1);
    return t;
}

static PixTensor map_new(PixDevice *device, PixShape shape)
{
    return tensor_new(device, shape, device->backend->activation_bytes(device, shape));
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
    size_t bytes = device->backend->weight_bytes(device, &b->op, dims);
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

static void measure(PixDevice *device, Bench *b, int direction, bool first)
{
    double before = pix_clock_ms();
    if (direction == FORWARD)
        pix_backend_forward(device, &b->calls[direction]);
    else
        pix_backend_backward(device, &b->calls[direction]);
    double ms = pix_clock_ms() - before;
    b->ms[direction] = first ? ms : MIN(b->ms[direction], ms);
}

static void run_rounds(PixDevice *device, Bench *benches, int count)
{
    size_t bytes = 0;
    for (int i = 0; i < count; i++)
        for (int d = 0; d < DIRECTIONS; d++)
            bytes = MAX(bytes, pix_backend_scratch(device, &benches[i].calls[d], d != FORWARD));
    PixBuffer *scratch = device->backend->buffer_new(device, bytes, NULL);
    for (int round = 0; round < ROUNDS; round++)
        for (int d = 0; d < DIRECTIONS; d++)
            for (int i = 0; i < count; i++) {
                benches[i].calls[d].scratch = scratch;
                measure(device, &benches[i], d, round == 0);
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
