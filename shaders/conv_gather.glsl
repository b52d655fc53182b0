/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the fast variants of a convolution share: a group's part of the work, its operands in fours of
 * channels, its results. Rows of the product are pixels of a phase; a chunk of the sum is some
 * channels of one tap. Bindings as in conv_tiled.comp.
 */
#extension GL_EXT_control_flow_attributes : require

layout(constant_id = 12) const uint IN4 = 0;     /* the input can be read in fours of channels */
layout(constant_id = 13) const uint WEIGHT4 = 0; /* and so can the weights */
layout(constant_id = 14) const uint ALONG_OUT = 1; /* they lie along output channels, else input */

layout(binding = 0) readonly buffer In { Stored x[]; };
layout(binding = 0) readonly buffer In4 { Stored4 x4[]; };
layout(binding = 1) readonly buffer Weights { Stored weights[]; };
layout(binding = 1) readonly buffer Weights4 { Stored4 weights4[]; };

/* ---- the group's part ---- */

Side rows, columns;
uvec2 phase;       /* column, row */
uint pixels;       /* of the phase */
uint first_pixel;  /* of the group */
uint split, first_chunk, last_chunk;

/* Returns: whether there is anything to do; the same for the whole group. */
bool begin(uint tile_pixels, uint tile_channels)
{
    uint group = gl_WorkGroupID.z * gl_NumWorkGroups.y + gl_WorkGroupID.y, rest = group / p.tiles;
    uint number = rest / p.splits, wide = spreads() ? p.sw : 1;
    phase = uvec2(number % wide, number / wide);
    rows = side_of(phase.y, p.kh, p.sh, p.pad_top, p.out_h);
    columns = side_of(phase.x, p.kw, p.sw, p.pad_left, p.out_w);
    pixels = p.n * rows.pixels * columns.pixels;
    first_pixel = group % p.tiles * tile_pixels;
    split = rest % p.splits;
    uint chunks = rows.taps * columns.taps * ((p.in_c + tile_channels - 1) / tile_channels);
    uint share = (chunks + p.splits - 1) / p.splits;
    first_chunk = min(chunks, split * share);
    last_chunk = min(chunks, first_chunk + share);
    return first_pixel < pixels && number < phases();
}

struct Pixel {
    uint n, y, x; /* y and x within the phase */
};

Pixel pixel_of(uint m)
{
    uint rest = m / columns.pixels;
    return Pixel(rest / rows.pixels, rest % rows.pixels, m % columns.pixels);
}

/* ---- operands ---- */

/* What a pixel reads with the first tap. */
struct Source {
    uint n;
    int y, x;
};

/* Pixels beyond the last repeat it: nobody stores their sums. */
Source source_of_pixel(uint m)
{
    Pixel pixel = pixel_of(min(m, pixels - 1));
    return Source(pixel.n, source_of(rows, pixel.y, 0, p.sh), source_of(columns, pixel.x, 0, p.sw));
}

/* A tap of the phase, and its number among all. */
struct Tap {
    int y, x;
    uint number;
};

Tap tap_at(uint t)
{
    uint ty = t / columns.taps, tx = t % columns.taps;
    return Tap(int(ty), int(tx), tap_of(rows, ty, p.sh) * p.kw + tap_of(columns, tx, p.sw));
}

/* Where what a tap reads begins; NOTHING: it is padding. */
uint place_of(Source source, Tap tap)
{
    int iy = padded(spreads() ? source.y - tap.y : source.y + tap.y, int(p.in_h));
    int ix = padded(spreads() ? source.x - tap.x : source.x + tap.x, int(p.in_w));
    if (iy < 0 || ix < 0)
        return NOTHING;
    return ((source.n * p.in_h + uint(iy)) * p.in_w + uint(ix)) * p.in_pixel + p.in_first;
}

vec4 load_in(uint place, uint c)
{
    vec4 four = vec4(0.0);
    if (place == NOTHING || c >= p.in_c)
        return four;
    if (IN4 != 0)
        return rectified(vec4(x4[(place + c) / 4]));
    [[unroll]] for (uint r = 0; r < 4; r++)
        if (c + r < p.in_c)
            four[r] = float(x[place + c + r]);
    return rectified(four);
}

/* From @c and @oc on, along whichever channels they lie. */
vec4 load_weights(Tap tap, uint c, uint oc)
{
    uint place = tap.number * p.in_c * p.out_c + c * p.weight_in + oc * p.weight_out;
    uint left = ALONG_OUT != 0 ? p.out_c - oc : p.in_c - c;
    vec4 four = vec4(0.0);
    if (c >= p.in_c || oc >= p.out_c)
        return four;
    if (WEIGHT4 != 0)
        return vec4(weights4[place / 4]);
    [[unroll]] for (uint r = 0; r < 4; r++)
        if (r < left)
            four[r] = float(weights[place + r]);
    return four;
}

/* ---- results ---- */

/* Sums of pixel @m of the phase, from @oc on. */
void store_sums(uint m, uint oc, vec4 sums)
{
    Pixel q = pixel_of(m);
    uint oy = spreads() ? q.y * p.sh + phase.y : q.y;
    uint ox = spreads() ? q.x * p.sw + phase.x : q.x;
    uint pixel = (q.n * p.out_h + oy) * p.out_w + ox;
    [[unroll]] for (uint r = 0; r < 4; r++)
        if (m < pixels && oc + r < p.out_c)
            store(split, pixel, oc + r, sums[r]);
}
