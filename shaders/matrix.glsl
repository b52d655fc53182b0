/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Products of matrices of 16 by 16, each made by a team of 32 invocations, from two tiles in shared
 * memory and into blocks of staged[]. With TENSOR a team is a subgroup of that size and the device's
 * own matrices do it; without, its invocations share the work, in float32.
 *
 * Before, the shader has TILE_M, TILE_N and TILE_K: rows and columns of tiles, all multiples of 16;
 * TEAMS.
 */
#ifdef TENSOR
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_NV_cooperative_matrix : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define Element float16_t
#else
#define Element float
#endif

const uint SIDE = 16, BLOCK = SIDE * SIDE;
const uint ROW_A = TILE_K + 8, ROW_B = TILE_N + 8; /* other banks each, and at 16 bytes */

shared Element tile_a[TILE_M * ROW_A]; /* (TILE_M, TILE_K) */
shared Element tile_b[TILE_K * ROW_B]; /* (TILE_K, TILE_N) */
shared float staged[TEAMS * BLOCK];

#ifdef TENSOR

#define Factor fcoopmatNV<16, gl_ScopeSubgroup, 16, 16>
#define Matrix fcoopmatNV<32, gl_ScopeSubgroup, 16, 16>
#define team() gl_SubgroupID
#define zero_sums() Matrix(0.0)
#define load_a(a, at) coopMatLoadNV(a, tile_a, at, ROW_A, false)
#define load_b(b, at) coopMatLoadNV(b, tile_b, at, ROW_B, false)
#define multiply_add(sums, a, b) sums = coopMatMulAddNV(a, b, sums)
#define stage(sums) coopMatStoreNV(sums, staged, team() * BLOCK, SIDE, false)

#else

#define Factor uint /* where it lies in its tile */
#define team() (gl_LocalInvocationIndex / 32)
#define load_a(a, at) a = at
#define load_b(b, at) b = at

/* Half a row of each invocation. */
struct Matrix {
    vec4 of[2];
};

uint row_of_lane()
{
    return gl_LocalInvocationIndex % 32 / 2;
}

uint column_of_lane()
{
    return gl_LocalInvocationIndex % 2 * 8;
}

Matrix zero_sums()
{
    return Matrix(vec4[](vec4(0.0), vec4(0.0)));
}

void multiply_add(inout Matrix sums, Factor a, Factor b)
{
    for (uint k = 0; k < SIDE; k++) {
        float factor = tile_a[a + row_of_lane() * ROW_A + k];
        uint at = b + k * ROW_B + column_of_lane();
        for (uint i = 0; i < 8; i++)
            sums.of[i / 4][i % 4] += factor * tile_b[at + i];
    }
}

void stage(Matrix sums)
{
    uint at = team() * BLOCK + row_of_lane() * SIDE + column_of_lane();
    for (uint i = 0; i < 8; i++)
        staged[at + i] = sums.of[i / 4][i % 4];
}

#endif
