/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The tiles into which the product of two matrices may be cut, and which of them suits one. A rule
 * says so; where times have been measured, those do, among the tiles that sum in the order of the
 * rule's: whatever was measured, sums are made in the same order.
 */
#ifndef PIX_VK_TILES_H
#define PIX_VK_TILES_H

#include "vk-gpu.h"

/** VulkanTile: sides of a group's and of an invocation's, see shaders/conv_tiles.glsl. */
typedef struct {
    const char *name;
    uint32_t m, n, k, thread_m, thread_n;
} VulkanTile;

#define VK_TILES 6
extern const VulkanTile vk_tiles[VK_TILES];

/** VulkanTileTime: picoseconds for k of a group's sums. */
typedef struct {
    uint64_t full;  /* with as many groups as the GPU likes, over their number */
    uint64_t alone; /* with no other */
} VulkanTileTime;

/** VulkanTileTimes: of all. */
typedef struct {
    VulkanTileTime of[VK_TILES];
} VulkanTileTimes;

/** VulkanMatrices: a product in each of some phases. */
typedef struct {
    size_t m, n;  /* its sides, of the largest phase */
    size_t depth; /* of a sum, of all phases together */
    uint32_t phases;
    uint32_t chunk; /* what of a sum can be taken at a time */
} VulkanMatrices;

/** vk_tile_invocations: Of a group. */
uint32_t vk_tile_invocations(const VulkanTile *tile);
/** vk_tile_fits: Whether @gpu has groups so large. */
bool vk_tile_fits(const VulkanGpu *gpu, const VulkanTile *tile);
/** vk_tile_weight: By the rule: a group's products, and what it takes to load their factors. */
size_t vk_tile_weight(const VulkanTile *tile);
/** vk_tile_groups: In a phase. */
size_t vk_tile_groups(const VulkanTile *tile, const VulkanMatrices *matrices);

/** vk_tile_by_rule: The tile that has the least to do. */
VulkanTile vk_tile_by_rule(const VulkanGpu *gpu, const VulkanMatrices *matrices);
/** vk_tile_by_times: The fastest where sums are in @splits parts, if it is clearly so; else @rule. */
VulkanTile vk_tile_by_times(const VulkanGpu *gpu, const VulkanMatrices *matrices, size_t splits,
                            const VulkanTileTimes *times, VulkanTile rule);

#endif
