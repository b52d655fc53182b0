/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * A map to bytes, rounded to nearest; bytes that are no channel's become 0. Each invocation makes
 * four of them.
 * Bindings: 0 the map, by its bits; 1 the image; 2 one word that becomes 1 where a value is NaN.
 * Twin: cpu_read_image() of cpu/cpu-pixels.c, equal to the last bit.
 */
#include "tensor.glsl"
#include "pixels.glsl"

layout(binding = 0) readonly buffer In { uint x[]; };
layout(binding = 1) writeonly buffer Image { uint words[]; };
layout(binding = 2) buffer Broken { uint broken; };

/* Compilers may assume that floats are numbers: the bits tell. */
bool is_nan(uint bits)
{
    return (bits & 0x7fffffffu) > 0x7f800000u;
}

uint byte_at(uint i)
{
    uint channel = p.channel_of[i % p.pixel_bytes];
    if (i >= p.count || channel == NOTHING)
        return 0;
    uint pixel = i / p.pixel_bytes;
    uint column = uint(p.left) + pixel % p.width;
    uint row = uint(p.top) + p.first_row + pixel / p.width;
    uint bits = x[index_of(p.map, row * p.w + column, channel)];
    if (is_nan(bits)) {
        atomicOr(broken, 1u);
        return 0;
    }
    precise float scaled = uintBitsToFloat(bits) * 127.5 + 128.0;
    return uint(clamp(scaled, 0.0, 255.0));
}

void main()
{
    uint word = linear_index(), first = word * 4;
    if (first < p.count)
        words[word] = byte_at(first) | byte_at(first + 1) << 8 | byte_at(first + 2) << 16 |
                      byte_at(first + 3) << 24;
}
