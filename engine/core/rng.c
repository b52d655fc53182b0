/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rng.h"

#include <string.h>

#define ROUNDS 10

static void mul_wide(uint32_t a, uint32_t b, uint32_t *high, uint32_t *low)
{
    uint64_t product = (uint64_t)a * b;
    *high = (uint32_t)(product >> 32);
    *low = (uint32_t)product;
}

void pix_rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t high0, low0, high1, low1;
        mul_wide(0xD2511F53u, c0, &high0, &low0);
        mul_wide(0xCD9E8D57u, c2, &high1, &low1);
        c0 = high1 ^ c1 ^ k0;
        c1 = low1;
        c2 = high0 ^ c3 ^ k1;
        c3 = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

static void draw_block(const PixMaskKey *key, uint64_t block, uint32_t out[4])
{
    const uint32_t counter[4] = {
        (uint32_t)block,
        (uint32_t)(block >> 32) | key->layer << 16,
        (uint32_t)key->frame,
        (uint32_t)(key->frame >> 32),
    };
    const uint32_t seed[2] = {(uint32_t)key->seed, (uint32_t)(key->seed >> 32)};
    pix_rng_philox(counter, seed, out);
}

uint32_t pix_rng_word(const PixMaskKey *key, uint64_t index)
{
    uint32_t block[4];
    draw_block(key, index / 4, block);
    return block[index % 4];
}

void pix_rng_words(const PixMaskKey *key, uint64_t first, size_t count, uint32_t *words)
{
    uint32_t block[4];
    for (size_t i = 0; i < count; i += 4) {
        draw_block(key, (first + i) / 4, block);
        memcpy(words + i, block, sizeof block[0] * (count - i < 4 ? count - i : 4));
    }
}

uint32_t pix_rng_threshold(float rate)
{
    double scaled = (double)rate * 4294967296.0;
    return scaled >= 4294967295.0 ? UINT32_MAX : (uint32_t)scaled;
}
