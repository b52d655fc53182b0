/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * Bytes to a map in [-1, 1], the image's border replicated to all sides.
 * Bindings: 0 the image; 1 the map.
 * Twin: cpu_write_image() of cpu/cpu-pixels.c, equal to the last bit.
 */
#include "tensor.glsl"
#include "pixels.glsl"

layout(binding = 0) readonly buffer Image { uint words[]; };
layout(binding = 1) writeonly buffer Out { float y[]; };

void main()
{
    uint i = linear_index();
    if (i >= p.count)
        return;
    uint column = i % p.w, row = p.first_y + i / p.w;
    uint ix = uint(clamp(int(column) - p.left, 0, int(p.width) - 1));
    uint iy = uint(clamp(int(row) - p.top, 0, int(p.height) - 1));
    uint from = ((iy - p.first_row) * p.width + ix) * p.pixel_bytes;
    for (uint c = 0; c < p.channels; c++) {
        uint at = from + p.offset[c];
        precise float value = float(words[at / 4] >> at % 4 * 8 & 255u) * (2.0 / 255.0) - 1.0;
        y[index_of(p.map, row * p.w + column, c)] = value;
    }
}
