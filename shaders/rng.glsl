/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* core/rng.c again: Philox4x32-10, the same words for the same key and place. */
uvec4 philox(uvec4 counter, uvec2 key)
{
    for (int i = 0; i < 10; i++) {
        uint high0, low0, high1, low1;
        umulExtended(0xD2511F53u, counter.x, high0, low0);
        umulExtended(0xCD9E8D57u, counter.z, high1, low1);
        counter = uvec4(high1 ^ counter.y ^ key.x, low1, high0 ^ counter.w ^ key.y, low0);
        key += uvec2(0x9E3779B9u, 0xBB67AE85u);
    }
    return counter;
}

/* The words of elements 4 * @block to 4 * @block + 3 of a mask; @block is below 2^32. */
uvec4 draw_block(uvec2 seed, uvec2 frame, uint layer, uint block)
{
    return philox(uvec4(block, layer << 16, frame), seed);
}
