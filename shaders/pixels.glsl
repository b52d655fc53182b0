/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A frame of any layout beside a map, of which only sample 0 counts. The frame's planes follow each
 * other in the buffer, their rows padded to whole words.
 *
 * Frame and content may differ in size: scaling takes a triangle that is as wide as a pixel of the
 * smaller one reaches, so that it averages going down and interpolates going up. Subsampled
 * components are interpolated first and averaged last, on the frame's own pixels. As
 * GstVideoConverter with the linear resampler.
 */
layout(push_constant) uniform Push
{
    uint w; /* of the map */
    Place map;
    int left, top;             /* where in the map the content begins */
    uint content_w, content_h; /* of the content */
    uint width, height;        /* of the frame */
    uint channels, components, planes;
    uint converts; /* else component i is channel i */
    uint x_cosited, y_cosited;
    uint count; /* pixels of the map to be packed, or words of the frame to be unpacked */
}
p;

layout(binding = 4) uniform Layout
{
    uvec4 planes[3]; /* its first word, and words of a row */
    uvec4 where[4];  /* of each component: its first byte, bytes of a row, its step, its plane */
    uvec4 shift[4];  /* x, y */
    vec4 matrix[3];
}
l;

/* 1: neither scaled nor converted nor subsampled. */
layout(constant_id = 10) const uint PLAIN = 0;

/* The pixels of a side of @from that make one of @to, the weight of each, and the sum of those. */
struct Taps {
    int first, last;
    float centre, reach, sum;
};

float weight_of(Taps taps, int i)
{
    return max(0.0, 1.0 - abs(float(i) - taps.centre) / taps.reach);
}

Taps taps_of(uint i, uint from, uint to)
{
    float ratio = float(from) / float(to);
    Taps taps;
    taps.reach = max(ratio, 1.0);
    taps.centre = (float(i) + 0.5) * ratio - 0.5;
    taps.first = int(ceil(taps.centre - taps.reach));
    taps.last = int(floor(taps.centre + taps.reach));
    taps.sum = 0.0;
    for (int j = taps.first; j <= taps.last; j++)
        taps.sum += weight_of(taps, j);
    return taps;
}
