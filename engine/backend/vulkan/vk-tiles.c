/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-tiles.h"

/* What a tile has to take of the rule's time to be worth a change: clocks err. */
#define CLEARLY 0.9

/* 16 KiB of shared memory are enough for each, and for all but the first 128 invocations. */
const VulkanTile vk_tiles[VK_TILES] = {
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

uint32_t vk_tile_invocations(const VulkanTile *tile)
{
    return tile->m / tile->thread_m * (tile->n / tile->thread_n);
}

bool vk_tile_fits(const VulkanGpu *gpu, const VulkanTile *tile)
{
    const VkPhysicalDeviceLimits *limits = &gpu->properties.limits;
    return vk_tile_invocations(tile) <= limits->maxComputeWorkGroupInvocations &&
           vk_tile_invocations(tile) <= limits->maxComputeWorkGroupSize[0];
}

size_t vk_tile_weight(const VulkanTile *tile)
{
    return tile->m * tile->n + 8 * (tile->m + tile->n);
}

size_t vk_tile_groups(const VulkanTile *tile, const VulkanMatrices *matrices)
{
    return ceil_div(matrices->m, tile->m) * ceil_div(matrices->n, tile->n);
}

/* ---- the choice ---- */

static size_t cost(const VulkanTile *tile, const VulkanMatrices *matrices)
{
    return vk_tile_groups(tile, matrices) * vk_tile_weight(tile);
}

/* Sums of few channels go by smaller chunks, or most of them were zeros. */
static VulkanTile shortened(VulkanTile tile, const VulkanMatrices *matrices)
{
    while (tile.k > 4 && tile.k / 2 >= matrices->chunk)
        tile.k /= 2;
    return tile;
}

VulkanTile vk_tile_by_rule(const VulkanGpu *gpu, const VulkanMatrices *matrices)
{
    const VulkanTile *best = NULL;
    for (size_t i = 0; i < VK_TILES; i++)
        if (vk_tile_fits(gpu, &vk_tiles[i]) &&
            (!best || cost(&vk_tiles[i], matrices) < cost(best, matrices)))
            best = &vk_tiles[i];
    return shortened(*best, matrices);
}

/* Groups that find room beside each other take no longer than one. */
static double expected(const VulkanTile *tile, const VulkanTileTime *time, size_t splits,
                       const VulkanMatrices *matrices)
{
    size_t groups = vk_tile_groups(tile, matrices) * matrices->phases * splits;
    return MAX((double)groups * (double)time->full, (double)time->alone);
}

VulkanTile vk_tile_by_times(const VulkanGpu *gpu, const VulkanMatrices *matrices, size_t splits,
                            const VulkanTileTimes *times, VulkanTile rule)
{
    VulkanTile best = rule;
    double ps[VK_TILES], least = 0;
    for (size_t i = 0; i < VK_TILES; i++) {
        ps[i] = expected(&vk_tiles[i], &times->of[i], splits, matrices);
        if (vk_tiles[i].name == rule.name)
            least = ps[i] * CLEARLY;
    }
    for (size_t i = 0; i < VK_TILES; i++) {
        VulkanTile tile = shortened(vk_tiles[i], matrices);
        if (tile.k != rule.k || ps[i] >= least || !vk_tile_fits(gpu, &tile))
            continue;
        least = ps[i];
        best = tile;
    }
    return best;
}
