/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * A frame to a map in [-1, 1], its border replicated to all sides of the content.
 * Bindings: 0 the frame; 1 the map; 4 the frame's layout.
 * Twin: cpu_write_image() of cpu/cpu-pixels.c, equal to the last bit where the frame is plain.
 */
#include "tensor.glsl"
#include "pixels.glsl"

layout(binding = 0) readonly buffer Frame { uint words[]; };
layout(binding = 1) writeonly buffer Out { Stored y[]; };

float sample_at(uint c, uint x, uint y)
{
    uint at = l.where[c].x + y * l.where[c].y + x * l.where[c].z;
    return float(words[at / 4] >> at % 4 * 8 & 255u);
}

/* A component at a pixel of the frame; its nearest sample where many are averaged anyway. */
float component_at(uint c, int x, int y, bool nearest)
{
    uvec2 shift = l.shift[c].xy;
    vec2 size = vec2(uvec2(1) << shift), site = vec2(0.5) - 0.5 * vec2(p.x_cosited, p.y_cosited);
    if (shift == uvec2(0) || nearest)
        return sample_at(c, uint(x) >> shift.x, uint(y) >> shift.y);
    vec2 at = (vec2(x, y) + site) / size - site, low = floor(at), part = at - low;
    ivec2 end = ivec2(uvec2(p.width - 1, p.height - 1) >> shift);
    uvec2 a = uvec2(clamp(ivec2(low), ivec2(0), end));
    uvec2 b = uvec2(clamp(ivec2(low) + 1, ivec2(0), end));
    return mix(mix(sample_at(c, a.x, a.y), sample_at(c, b.x, a.y), part.x),
               mix(sample_at(c, a.x, b.y), sample_at(c, b.x, b.y), part.x), part.y);
}

/* The components of a pixel of the content. */
vec4 scaled_at(uint x, uint y)
{
    Taps across = taps_of(x, p.width, p.content_w), down = taps_of(y, p.height, p.content_h);
    bool nearest = min(across.reach, down.reach) >= 4.0;
    vec4 sum = vec4(0.0);
    for (int j = down.first; j <= down.last; j++) {
        int row = clamp(j, 0, int(p.height) - 1);
        vec4 part = vec4(0.0);
        for (int i = across.first; i <= across.last; i++) {
            int column = clamp(i, 0, int(p.width) - 1);
            float weight = weight_of(across, i);
            for (uint c = 0; c < p.components; c++)
                part[c] += weight * component_at(c, column, row, nearest);
        }
        sum += weight_of(down, j) * part;
    }
    return sum / (across.sum * down.sum);
}

float channel_of(vec4 components, uint c)
{
    if (p.converts == 0)
        return components[c];
    return clamp(dot(l.matrix[c].xyz, components.xyz) + l.matrix[c].w, 0.0, 255.0);
}

void main()
{
    uint i = linear_index();
    if (i >= p.count)
        return;
    uint x = uint(clamp(int(i % p.w) - p.left, 0, int(p.content_w) - 1));
    uint row = uint(clamp(int(i / p.w) - p.top, 0, int(p.content_h) - 1));
    vec4 components = vec4(0.0);
    if (PLAIN == 0)
        components = scaled_at(x, row);
    for (uint c = 0; c < p.channels; c++) {
        float byte = PLAIN == 0 ? channel_of(components, c) : sample_at(c, x, row);
        precise float value = byte * (2.0 / 255.0) - 1.0;
        y[index_of(p.map, i, c)] = Stored(value);
    }
}
