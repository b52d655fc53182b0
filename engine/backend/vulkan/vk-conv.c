/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Convolutions and their ways back: one shader, used in four ways. */
#include "vk-ops.h"

/** Push: that of shaders/conv.glsl. */
typedef struct {
    uint32_t in_h, in_w, in_pixel, in_first, in_c;
    uint32_t out_h, out_w, out_pixel, out_first, out_c;
    uint32_t n;
    uint32_t kh, kw, sh, sw;
    int32_t pad_top, pad_left;
    uint32_t weight_in, weight_out;
    uint32_t splits;
    uint32_t bias, gamma, beta, mean, variance;
    float eps, slope;
    uint32_t activation;
    uint32_t adds;
} Push;

/** Tile: a variant of conv_tiled.comp. */
typedef struct {
    uint32_t m, n, k, thread_m, thread_n;
} Tile;

static const Tile large = {64, 64, 16, 4, 4}, flat = {16, 64, 16, 1, 4};

/** Product: a convolution, in the shader's words. */
typedef struct {
    Push push;
    bool spread;
    PixPadMode mode;
    VulkanBinding in, weight, out;
    VulkanVectors vectors;
} Product;

enum { SPREAD = 10, PAD_MODE, N_CONSTANTS };

/* ---- what is to be done ---- */

static void set_maps(Product *product, const PixTensor *in, const PixTensor *out)
{
    Push *push = &product->push;
    push->n = (uint32_t)in->shape.n;
    push->in_h = (uint32_t)in->shape.h;
    push->in_w = (uint32_t)in->shape.w;
    push->in_c = (uint32_t)in->shape.c;
    push->in_pixel = (uint32_t)in->c_whole;
    push->in_first = (uint32_t)in->c_first;
    push->out_h = (uint32_t)out->shape.h;
    push->out_w = (uint32_t)out->shape.w;
    push->out_c = (uint32_t)out->shape.c;
    push->out_pixel = (uint32_t)out->c_whole;
    push->out_first = (uint32_t)out->c_first;
    product->in = vk_bind(in, false);
    product->out = vk_bind(out, true);
}

static void set_window(Product *product, const PixConvOp *conv)
{
    Push *push = &product->push;
    push->kh = (uint32_t)conv->kh;
    push->kw = (uint32_t)conv->kw;
    push->sh = (uint32_t)conv->sh;
    push->sw = (uint32_t)conv->sw;
    push->pad_top = conv->pad.top;
    push->pad_left = conv->pad.left;
    product->mode = conv->pad.mode;
}

static void set_vectors(Product *product, const PixConvOp *conv, const PixTensor *param)
{
    Push *push = &product->push;
    product->vectors = vk_vectors(param, false);
    const uint32_t *at = product->vectors.at;
    push->bias = at[PIX_SLOT_BIAS];
    push->gamma = conv->running_norm ? at[PIX_SLOT_GAMMA] : VK_NOTHING;
    push->beta = conv->running_norm ? at[PIX_SLOT_BETA] : VK_NOTHING;
    push->mean = conv->running_norm ? at[PIX_SLOT_MEAN] : VK_NOTHING;
    push->variance = conv->running_norm ? at[PIX_SLOT_VARIANCE] : VK_NOTHING;
    push->eps = conv->eps;
    push->activation = conv->activation.kind;
    push->slope = conv->activation.slope;
}

static VulkanBinding bind_weight(const PixTensor *weight)
{
    return (VulkanBinding){weight->buffer, weight->offset,
                           pix_shape_count(weight->shape) * sizeof(float), false};
}

static Product forward_product(const PixCall *call)
{
    const PixConvOp *conv = &call->op->conv;
    Product product = {.spread = call->op->kind == PIX_OP_DECONV};
    set_maps(&product, &call->in[0], &call->out);
    set_window(&product, conv);
    set_vectors(&product, conv, call->param);
    product.weight = bind_weight(&call->param[PIX_SLOT_WEIGHT]);
    product.push.weight_in = product.push.out_c;
    product.push.weight_out = 1;
    return product;
}

/* From dout to din: what CONV gathered is spread, and the other way round. */
static Product backward_product(const PixCall *call)
{
    const PixConvOp *conv = &call->op->conv;
    const PixTensor none[PIX_SLOT_COUNT] = {{{0}}};
    const PixConvOp plain = {0};
    Product product = {.spread = call->op->kind == PIX_OP_CONV};
    set_maps(&product, &call->dout, &call->din[0]);
    set_window(&product, conv);
    set_vectors(&product, &plain, none);
    product.weight = bind_weight(&call->param[PIX_SLOT_WEIGHT]);
    product.push.weight_in = 1;
    product.push.weight_out = product.push.in_c;
    product.push.adds = call->din_adds[0];
    return product;
}

/* ---- how it is cut ---- */

static size_t out_count(const Push *push)
{
    return (size_t)push->n * push->out_h * push->out_w * push->out_c;
}

static uint32_t phases(const Product *product)
{
    return product->spread ? product->push.sh * product->push.sw : 1;
}

/* Pixels of the largest phase. */
static uint32_t phase_pixels(const Product *product)
{
    const Push *push = &product->push;
    uint32_t sh = product->spread ? push->sh : 1, sw = product->spread ? push->sw : 1;
    return push->n * ((push->out_h + sh - 1) / sh) * ((push->out_w + sw - 1) / sw);
}

static const Tile *choose_tile(const Product *product)
{
    return phase_pixels(product) <= 16 ? &flat : &large;
}

static uint32_t ceil_div(uint32_t a, uint32_t b)
{
    return (a + b - 1) / b;
}

/* As many as keep the whole device busy, where the map alone does not. */
static uint32_t choose_splits(const PixDevice *device, const Product *product)
{
    const Push *push = &product->push;
    const Tile *tile = choose_tile(product);
    const VulkanGpu *gpu = ((const VulkanDevice *)device)->gpu;
    uint32_t groups =
        ceil_div(phase_pixels(product), tile->m) * ceil_div(push->out_c, tile->n) * phases(product);
    uint32_t chunks = ceil_div(push->kh * push->kw * push->in_c / phases(product), tile->k);
    uint32_t wanted = vk_gpu_is_slow(gpu) ? 4 : 256;
    return CLAMP(wanted / groups, 1, MAX(chunks / 4, 1));
}

static size_t parts_bytes(const PixDevice *device, const Product *product)
{
    uint32_t splits = choose_splits(device, product);
    return splits > 1 ? splits * out_count(&product->push) * sizeof(float) : 0;
}

/* ---- doing it ---- */

static void set_constants(VulkanDispatch *dispatch, const Product *product)
{
    dispatch->constants[SPREAD] = product->spread;
    dispatch->constants[PAD_MODE] = product->mode;
    dispatch->n_constants = N_CONSTANTS;
    dispatch->push = &product->push;
    dispatch->push_bytes = sizeof product->push;
}

static void finish(PixDevice *device, const Product *product, VulkanBinding parts)
{
    VulkanDispatch dispatch = {.shader = VK_SHADER_CONV_FINISH,
                               .bindings = {parts, {0}, product->out, product->vectors.binding}};
    dispatch.bindings[0].writes = false;
    vk_spread(&dispatch, out_count(&product->push));
    set_constants(&dispatch, product);
    vk_dispatch(device, &dispatch);
}

static void multiply(PixDevice *device, Product *product, PixBuffer *scratch)
{
    const Tile *tile = choose_tile(product);
    Push *push = &product->push;
    push->splits = choose_splits(device, product);
    const VulkanBinding parts = {scratch, 0, parts_bytes(device, product), true};
    VulkanDispatch dispatch = {
        .shader = VK_SHADER_CONV_TILED,
        .constants = {tile->m / tile->thread_m * (tile->n / tile->thread_n), 1, 1, tile->m, tile->n,
                      tile->k, tile->thread_m, tile->thread_n},
        .bindings = {product->in, product->weight, push->splits > 1 ? parts : product->out,
                     product->vectors.binding},
        .groups = {ceil_div(phase_pixels(product), tile->m), ceil_div(push->out_c, tile->n),
                   phases(product) * push->splits}};
    set_constants(&dispatch, product);
    vk_dispatch(device, &dispatch);
    if (push->splits > 1)
        finish(device, product, parts);
}

void vk_conv_forward(PixDevice *device, const PixCall *call)
{
    Product product = forward_product(call);
    multiply(device, &product, call->scratch);
}

size_t vk_conv_scratch(const PixDevice *device, const PixCall *call)
{
    Product product = forward_product(call);
    return parts_bytes(device, &product);
}

void vk_conv_backward(PixDevice *device, const PixCall *call)
{
    if (call->din[0].buffer) {
        Product product = backward_product(call);
        multiply(device, &product, call->scratch);
    }
}

size_t vk_conv_backward_scratch(const PixDevice *device, const PixCall *call)
{
    if (!call->din[0].buffer)
        return 0;
    Product product = backward_product(call);
    return parts_bytes(device, &product);
}

const char *vk_conv_algorithm(const PixDevice *device, const PixCall *call)
{
    Product product = forward_product(call);
    return choose_tile(&product) == &flat ? "tiled 16x64" : "tiled 64x64";
}
