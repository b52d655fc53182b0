/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How the work of a convolution is cut into groups, and how those are asked for. */
#include "vk-conv.h"

#include <string.h>

/* Groups that keep a device busy. */
#define WANTED_GROUPS 256
#define WANTED_GROUPS_SLOW 4
/* Chunks that are worth a split. */
#define SPLIT_CHUNKS 4
/* Of conv_narrow.comp: the most invocations for a pixel, and pixels of each. */
#define NARROW_LANES 8
#define NARROW_PIXELS 4
/* Of conv_matrix.comp: invocations, sides of tiles and of chunks, which for tensor cores are of half
 * the bytes; and the fewest pixels: fewer wait for weights, whoever multiplies. */
#define MATRIX_GROUP 128
#define MATRIX_TILE 64
#define MATRIX_CHUNK 16
#define TENSOR_CHUNK 32
#define MATRIX_PIXELS 1024
#define GROUPS_Y 32768 /* below every device's limit */

/* Sides of a group's tile and of an invocation's, see shaders/conv_tiles.glsl. */
typedef struct {
    const char *name;
    uint32_t m, n, k, thread_m, thread_n;
} Tile;

/* 16 KiB of shared memory are enough for each, and for all but the first 128 invocations. */
static const Tile tiles[] = {
    {"tiled 128x64", 128, 64, 16, 8, 4}, /* large maps */
    {"tiled 64x64", 64, 64, 16, 8, 4},   /* small ones */
    {"tiled 128x32", 128, 32, 16, 8, 4}, /* few channels */
    {"tiled 128x16", 128, 16, 16, 4, 4}, /* fewer */
    {"tiled 256x4", 256, 4, 8, 4, 4},    /* those of a picture */
    {"tiled 16x64", 16, 64, 16, 4, 4},   /* innermost layers */
};

static size_t ceil_div(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

/* ---- what is to be done ---- */

VulkanConv vk_conv_new(VulkanShader shader, const PixConvOp *op)
{
    return (VulkanConv){.push = {.kh = (uint32_t)op->kh,
                                 .kw = (uint32_t)op->kw,
                                 .sh = (uint32_t)op->sh,
                                 .sw = (uint32_t)op->sw,
                                 .pad_top = op->pad.top,
                                 .pad_left = op->pad.left,
                                 .tiles = 1,
                                 .splits = 1,
                                 .bias = VK_NOTHING,
                                 .gamma = VK_NOTHING,
                                 .beta = VK_NOTHING,
                                 .mean = VK_NOTHING,
                                 .variance = VK_NOTHING},
                        .dispatch = {.shader = shader,
                                     .constants = {[VK_CONV_PAD_MODE] = op->pad.mode},
                                     .n_constants = VK_CONV_CONSTANTS}};
}

void vk_conv_set_in(VulkanConv *conv, const PixTensor *in)
{
    VulkanConvPush *push = &conv->push;
    push->in_h = (uint32_t)in->shape.h;
    push->in_w = (uint32_t)in->shape.w;
    push->in_c = (uint32_t)in->shape.c;
    push->in_pixel = (uint32_t)in->c_whole;
    push->in_first = (uint32_t)in->c_first;
    conv->dispatch.bindings[0] = vk_bind(in, false);
}

void vk_conv_set_out(VulkanConv *conv, const PixTensor *out, int binding)
{
    VulkanConvPush *push = &conv->push;
    push->n = (uint32_t)out->shape.n;
    push->out_h = (uint32_t)out->shape.h;
    push->out_w = (uint32_t)out->shape.w;
    push->out_c = (uint32_t)out->shape.c;
    push->out_pixel = (uint32_t)out->c_whole;
    push->out_first = (uint32_t)out->c_first;
    conv->dispatch.bindings[binding] = vk_bind(out, binding == 2);
    conv->count = pix_shape_count(out->shape);
}

bool vk_conv_fours(const PixTensor *tensor)
{
    return tensor->shape.c % 4 == 0 && tensor->c_first % 4 == 0 && tensor->c_whole % 4 == 0;
}

/* ---- how it is cut ---- */

/* Products, and what it takes to load their factors. */
static size_t cost(const Tile *tile, const VulkanMatrices *matrices)
{
    return ceil_div(matrices->m, tile->m) * ceil_div(matrices->n, tile->n) *
           (tile->m * tile->n + 8 * (tile->m + tile->n));
}

static uint32_t invocations(const Tile *tile)
{
    return tile->m / tile->thread_m * (tile->n / tile->thread_n);
}

static bool fits(const VulkanGpu *gpu, const Tile *tile)
{
    const VkPhysicalDeviceLimits *limits = &gpu->properties.limits;
    return invocations(tile) <= limits->maxComputeWorkGroupInvocations &&
           invocations(tile) <= limits->maxComputeWorkGroupSize[0];
}

static Tile choose_tile(const VulkanGpu *gpu, const VulkanMatrices *matrices)
{
    const Tile *best = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(tiles); i++)
        if (fits(gpu, &tiles[i]) && (!best || cost(&tiles[i], matrices) < cost(best, matrices)))
            best = &tiles[i];
    Tile tile = *best;
    while (tile.k > 4 && tile.k / 2 >= matrices->chunk)
        tile.k /= 2;
    return tile;
}

void vk_conv_split(VulkanConv *conv, const PixDevice *device, size_t most)
{
    const VulkanGpu *gpu = ((const VulkanDevice *)device)->gpu;
    size_t room = gpu->properties.limits.maxStorageBufferRange / (conv->count * sizeof(float));
    conv->push.splits = (uint32_t)CLAMP(most, 1, MAX(room, 1));
}

/* @rows, @columns: tiles of a phase; @chunks: of a sum. */
static void set_groups(VulkanConv *conv, const PixDevice *device, const VulkanMatrices *matrices,
                       size_t rows, size_t columns, size_t chunks)
{
    const VulkanGpu *gpu = ((const VulkanDevice *)device)->gpu;
    size_t wanted = vk_gpu_is_slow(gpu) ? WANTED_GROUPS_SLOW : WANTED_GROUPS;
    size_t groups = rows * matrices->phases;
    vk_conv_split(conv, device, MIN(wanted / (groups * columns), chunks / SPLIT_CHUNKS));
    groups *= conv->push.splits;
    conv->push.tiles = (uint32_t)rows;
    conv->dispatch.groups[0] = (uint32_t)columns;
    conv->dispatch.groups[1] = (uint32_t)MIN(groups, GROUPS_Y);
    conv->dispatch.groups[2] = (uint32_t)ceil_div(groups, GROUPS_Y);
}

void vk_conv_cut(VulkanConv *conv, const PixDevice *device, const VulkanMatrices *matrices)
{
    const Tile tile = choose_tile(((const VulkanDevice *)device)->gpu, matrices);
    const uint32_t constants[] = {invocations(&tile), 1, 1, tile.m, tile.n, tile.k, tile.thread_m,
                                  tile.thread_n};
    memcpy(conv->dispatch.constants, constants, sizeof constants);
    set_groups(conv, device, matrices, ceil_div(matrices->m, tile.m), ceil_div(matrices->n, tile.n),
               matrices->depth / matrices->phases / tile.k);
}

bool vk_conv_suits_matrix(const VulkanMatrices *matrices)
{
    return matrices->m >= MATRIX_PIXELS && matrices->n >= MATRIX_TILE &&
           matrices->chunk >= MATRIX_CHUNK;
}

void vk_conv_cut_matrix(VulkanConv *conv, const PixDevice *device, const VulkanMatrices *matrices)
{
    const uint32_t chunk =
        conv->dispatch.shader == VK_SHADER_CONV_TENSOR ? TENSOR_CHUNK : MATRIX_CHUNK;
    const uint32_t constants[] = {MATRIX_GROUP, 1, 1, MATRIX_TILE, MATRIX_TILE, chunk};
    memcpy(conv->dispatch.constants, constants, sizeof constants);
    set_groups(conv, device, matrices, ceil_div(matrices->m, MATRIX_TILE),
               ceil_div(matrices->n, MATRIX_TILE), matrices->depth / matrices->phases / chunk);
}

void vk_conv_cut_narrow(VulkanConv *conv, const PixDevice *device, const VulkanMatrices *matrices)
{
    uint32_t lanes = NARROW_LANES;
    while (lanes > 1 && lanes / 2 * 4 >= matrices->chunk)
        lanes /= 2;
    const uint32_t teams = VK_GROUP / lanes;
    const uint32_t constants[] = {VK_GROUP, 1, 1, teams, lanes, NARROW_PIXELS};
    memcpy(conv->dispatch.constants, constants, sizeof constants);
    set_groups(conv, device, matrices, ceil_div(matrices->m, teams * NARROW_PIXELS), 1,
               matrices->depth / matrices->phases / (lanes * 4));
}

const char *vk_conv_variant(const VulkanConv *conv)
{
    const uint32_t *constants = conv->dispatch.constants;
    if (conv->dispatch.shader == VK_SHADER_CONV_NARROW)
        return "narrow";
    if (conv->dispatch.shader == VK_SHADER_CONV_TENSOR)
        return "tensor cores";
    if (conv->dispatch.shader == VK_SHADER_CONV_MATRIX)
        return "matrices";
    for (size_t i = 0; i < G_N_ELEMENTS(tiles); i++)
        if (constants[VK_CONV_TILE] == tiles[i].m && constants[VK_CONV_TILE + 1] == tiles[i].n)
            return tiles[i].name;
    return "simple";
}

/* ---- doing it ---- */

size_t vk_conv_place(VulkanConv *conv, PixBuffer *scratch, size_t offset)
{
    uint32_t splits = conv->push.splits;
    size_t bytes = splits > 1 ? splits * conv->count * sizeof(float) : 0;
    conv->parts = (VulkanBinding){scratch, offset, bytes, true};
    return offset + vk_conv_align(bytes);
}

static void ask(PixDevice *device, const VulkanConv *conv, VulkanDispatch dispatch)
{
    dispatch.push = &conv->push;
    dispatch.push_bytes = sizeof conv->push;
    vk_dispatch(device, &dispatch);
}

void vk_conv_run(PixDevice *device, const VulkanConv *conv)
{
    VulkanConv parts = *conv;
    if (conv->push.splits > 1) {
        parts.dispatch.bindings[2] = conv->parts;
        parts.push.bare = 1;
    }
    ask(device, &parts, parts.dispatch);
}

static VulkanConv one_pixel(const VulkanConv *conv)
{
    VulkanConv map = *conv;
    VulkanConvPush *push = &map.push;
    push->n = push->out_h = push->out_w = 1;
    push->out_c = push->out_pixel = (uint32_t)conv->count;
    push->out_first = 0;
    return map;
}

void vk_conv_finish(PixDevice *device, const VulkanConv *conv)
{
    const VulkanBinding *bindings = conv->dispatch.bindings;
    const VulkanConv as_map = conv->is_row ? one_pixel(conv) : *conv;
    VulkanDispatch dispatch = {.shader = VK_SHADER_CONV_FINISH,
                               .n_constants = VK_CONV_TILE,
                               .bindings = {conv->parts, {0}, bindings[2], bindings[3]}};
    if (conv->push.splits == 1)
        return;
    dispatch.bindings[0].writes = false;
    vk_spread(&dispatch, conv->count);
    ask(device, &as_map, dispatch);
}
