/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require

/*
 * A map to a frame, rounded to nearest; bytes that are no component's become 0. Each invocation
 * makes a word.
 * Bindings: 0 the map, by its bits; 1 the frame; 2 one word that becomes 1 where a value is NaN;
 * 4 the frame's layout.
 * Twin: cpu_read_image() of cpu/cpu-pixels.c, equal to the last bit where the frame is plain.
 */
#include "tensor.glsl"
#include "pixels.glsl"

#ifdef HALF
#define Bits uint16_t
#define value_of(bits) unpackHalf2x16(bits).x
const uint INFINITE = 0x7c00u, MAGNITUDE = 0x7fffu;
#else
#define Bits uint
#define value_of(bits) uintBitsToFloat(bits)
const uint INFINITE = 0x7f800000u, MAGNITUDE = 0x7fffffffu;
#endif

layout(binding = 0) readonly buffer In { Bits x[]; };
layout(binding = 1) writeonly buffer Frame { uint words[]; };
layout(binding = 2) buffer Broken { uint broken; };

/* Compilers may assume that floats are numbers: the bits tell. */
bool is_nan(uint bits)
{
    return (bits & MAGNITUDE) > INFINITE;
}

/* A channel at a pixel of the content, as a byte of which the fraction is still there. */
float channel_at(uint c, uint x_, uint y_, float half_)
{
    uint pixel = (uint(p.top) + y_) * p.w + uint(p.left) + x_;
    uint bits = uint(x[index_of(p.map, pixel, c)]);
    if (is_nan(bits)) {
        atomicOr(broken, 1u);
        return 0.0;
    }
    precise float byte = value_of(bits) * 127.5 + (127.5 + half_);
    return clamp(byte, 0.0, 255.0);
}

/* The channels at a pixel of the frame. */
vec4 channels_at(int x_, int y_)
{
    Taps across = taps_of(uint(x_), p.content_w, p.width);
    Taps down = taps_of(uint(y_), p.content_h, p.height);
    vec4 sum = vec4(0.0);
    for (int j = down.first; j <= down.last; j++) {
        uint row = uint(clamp(j, 0, int(p.content_h) - 1));
        for (int i = across.first; i <= across.last; i++) {
            uint column = uint(clamp(i, 0, int(p.content_w) - 1));
            float weight = weight_of(across, i) * weight_of(down, j);
            for (uint c = 0; c < p.channels && weight > 0.0; c++)
                sum[c] += weight * channel_at(c, column, row, 0.0);
        }
    }
    return sum / (across.sum * down.sum);
}

/* The weights of the pixels that one sample stands for, beginning with pixel first. */
void span_of(uint shift, uint cosited, uint i, out int first, out int last)
{
    int size = 1 << shift, begin = int(i) << shift;
    first = cosited != 0 ? begin - size + 1 : begin;
    last = begin + size - 1;
}

float span_weight(uint shift, uint cosited, uint i, int at)
{
    int size = 1 << shift;
    return cosited != 0 ? float(size - abs(at - (int(i) << shift))) / float(size * size)
                        : 1.0 / float(size);
}

/* The channels that a sample of a component stands for. */
vec4 channels_of(uint c, uint x_, uint y_)
{
    uvec2 shift = l.shift[c].xy;
    ivec2 first, last;
    vec4 sum = vec4(0.0);
    span_of(shift.x, p.x_cosited, x_, first.x, last.x);
    span_of(shift.y, p.y_cosited, y_, first.y, last.y);
    for (int j = first.y; j <= last.y; j++)
        for (int i = first.x; i <= last.x; i++)
            sum += span_weight(shift.x, p.x_cosited, x_, i) *
                   span_weight(shift.y, p.y_cosited, y_, j) *
                   channels_at(clamp(i, 0, int(p.width) - 1), clamp(j, 0, int(p.height) - 1));
    return sum;
}

/* Behind the last sample of a row its value is repeated: packed formats hold pairs of pixels. */
uint component_at(uint c, uint x_, uint y_)
{
    x_ = min(x_, (p.width - 1) >> l.shift[c].x);
    if (PLAIN != 0)
        return uint(channel_at(c, x_, y_, 0.5));
    vec4 channels = channels_of(c, x_, y_);
    float byte = p.converts == 0
                     ? channels[c]
                     : dot(l.matrix[c].xyz, channels.xyz) + l.matrix[c].w;
    return uint(clamp(byte + 0.5, 0.0, 255.0));
}

uint byte_at(uint plane, uint row, uint at)
{
    uint first = l.planes[plane].x * 4;
    for (uint c = 0; c < p.components; c++) {
        uint offset = l.where[c].x - first, step_ = l.where[c].z;
        if (l.where[c].w == plane && at >= offset && (at - offset) % step_ == 0)
            return component_at(c, (at - offset) / step_, row);
    }
    return 0;
}

void main()
{
    uint word = linear_index(), plane = 0;
    if (word >= p.count)
        return;
    while (plane + 1 < p.planes && word >= l.planes[plane + 1].x)
        plane++;
    uint in_plane = word - l.planes[plane].x, words_of_row = l.planes[plane].y;
    uint row = in_plane / words_of_row, first = in_plane % words_of_row * 4, value = 0;
    for (uint i = 0; i < 4; i++)
        value |= byte_at(plane, row, first + i) << i * 8;
    words[word] = value;
}
