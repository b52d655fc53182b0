/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How the work of a convolution is cut into groups, and how those are asked for. */
#include "vk-conv.h"

#include <string.h>

#include "vk-tune.h"

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

void vk_conv_split(VulkanConv *conv, const PixDevice *device, size_t most)
{
    const VulkanGpu *gpu = ((const VulkanDevice *)device)->gpu;
    size_t room = gpu->properties.limits.maxStorageBufferRange / (conv->count * sizeof(float));
    conv->push.splits = (uint32_t)CLAMP(most, 1, MAX(room, 1));
}

/* @groups: without splits, of all phases; @chunks: of a sum. */
static void set_splits(VulkanConv *conv, const PixDevice *device, size_t groups, size_t chunks)
{
    const VulkanGpu *gpu = ((const VulkanDevice *)device)->gpu;
    size_t wanted = vk_gpu_is_slow(gpu) ? WANTED_GROUPS_SLOW : WANTED_GROUPS;
    vk_conv_split(conv, device, MIN(wanted / groups, chunks / SPLIT_CHUNKS));
}

/* @rows, @columns: tiles of a phase. */
static void set_groups(VulkanConv *conv, const VulkanMatrices *matrices, size_t rows,
                       size_t columns)
{
    size_t groups = rows * matrices->phases * conv->push.splits;
    conv->push.tiles = (uint32_t)rows;
    conv->dispatch.groups[0] = (uint32_t)columns;
    conv->dispatch.groups[1] = (uint32_t)MIN(groups, GROUPS_Y);
    conv->dispatch.groups[2] = (uint32_t)ceil_div(groups, GROUPS_Y);
}

/* The chunks of each phase. */
static size_t chunks_of(const VulkanMatrices *matrices, size_t chunk)
{
    return matrices->depth / matrices->phases / chunk;
}

void vk_conv_cut_as(VulkanConv *conv, const VulkanMatrices *matrices, const VulkanTile *tile)
{
    const uint32_t constants[] = {
        vk_tile_invocations(tile), 1, 1, tile->m, tile->n, tile->k, tile->thread_m, tile->thread_n};
    memcpy(conv->dispatch.constants, constants, sizeof constants);
    set_groups(conv, matrices, ceil_div(matrices->m, tile->m), ceil_div(matrices->n, tile->n));
}

/* Splits follow from the rule alone: the order of a sum depends on them. */
void vk_conv_cut(VulkanConv *conv, const PixDevice *device, const VulkanMatrices *matrices)
{
    const VulkanDevice *vulkan = (const VulkanDevice *)device;
    const VulkanTileTimes *times = vk_tune_times(vulkan, conv->dispatch.bindings[0].halves);
    VulkanTile tile = vk_tile_by_rule(vulkan->gpu, matrices);
    set_splits(conv, device, vk_tile_groups(&tile, matrices) * matrices->phases,
               chunks_of(matrices, tile.k));
    if (times)
        tile = vk_tile_by_times(vulkan->gpu, matrices, conv->push.splits, times, tile);
    vk_conv_cut_as(conv, matrices, &tile);
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
    const size_t rows = ceil_div(matrices->m, MATRIX_TILE);
    const size_t columns = ceil_div(matrices->n, MATRIX_TILE);
    set_splits(conv, device, rows * columns * matrices->phases, chunks_of(matrices, chunk));
    set_groups(conv, matrices, rows, columns);
}

void vk_conv_cut_narrow(VulkanConv *conv, const PixDevice *device, const VulkanMatrices *matrices)
{
    uint32_t lanes = NARROW_LANES;
    while (lanes > 1 && lanes / 2 * 4 >= matrices->chunk)
        lanes /= 2;
    const uint32_t teams = VK_GROUP / lanes;
    const uint32_t constants[] = {VK_GROUP, 1, 1, teams, lanes, NARROW_PIXELS};
    memcpy(conv->dispatch.constants, constants, sizeof constants);
    const size_t rows = ceil_div(matrices->m, teams * NARROW_PIXELS);
    set_splits(conv, device, rows * matrices->phases, chunks_of(matrices, lanes * 4));
    set_groups(conv, matrices, rows, 1);
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
    for (size_t i = 0; i < VK_TILES; i++)
        if (constants[VK_CONV_TILE] == vk_tiles[i].m &&
            constants[VK_CONV_TILE + 1] == vk_tiles[i].n)
            return vk_tiles[i].name;
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
