/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Counter-based random numbers: a value is a pure function of its key and its place, so that the
 * CPU, a GPU and any number of threads draw the same.
 *
 * Philox4x32-10: the key is the seed; the counter is (block low, block high and layer, frame low,
 * frame high), where a block is four consecutive elements in NCHW order.
 * Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011; the constants and
 * the known answers of their Random123 library.
 */
#ifndef PIX_RNG_H
#define PIX_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** pix_rng_philox: Ten rounds. @counter, @key: in.  @out: four words. */
void pix_rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/** PixMaskKey: which mask. */
typedef struct {
    uint64_t seed;
    uint64_t frame; /* 0 for a frozen mask */
    uint32_t layer; /* below 2^16 */
} PixMaskKey;

/** pix_rng_word: The random word of element @index (below 2^50) of the mask. */
uint32_t pix_rng_word(const PixMaskKey *key, uint64_t index);

/** pix_rng_words: Those of elements @first .. @first + @count - 1; @first is a multiple of 4. */
void pix_rng_words(const PixMaskKey *key, uint64_t first, size_t count, uint32_t *words);

/** pix_rng_threshold: An element is dropped where its word is below this. @rate: [0, 1). */
uint32_t pix_rng_threshold(float rate);

#endif
