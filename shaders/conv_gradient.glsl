/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The gradient of a convolution's weights: for each tap the sum, over the pixels of the direct map,
 * of products of what they are and what they gather with that tap. CONV gathers from its input and
 * its output's gradient is direct; of DECONV it is the other way round.
 *
 * Of Push, in is the gathered map, out the direct one, and weight_in and weight_out are the steps
 * from channel to channel of theirs in the gradient.
 */
layout(binding = 0) readonly buffer Gathered { float gathered[]; };
layout(binding = 1) readonly buffer Direct { float direct[]; };
layout(binding = 2) buffer Gradient { float gradient[]; };

/* A row: channel @c gathered with a tap. */
struct Row {
    uint ky, kx, c;
};

uint row_count()
{
    return p.kh * p.kw * p.in_c;
}

Row row_at(uint m)
{
    uint tap = m / p.in_c;
    return Row(tap / p.kw, tap % p.kw, m % p.in_c);
}

/* Where row @m and channel @oc of the direct map lie in the gradient. */
uint gradient_place(uint m, uint oc)
{
    return m / p.in_c * p.in_c * p.out_c + m % p.in_c * p.weight_in + oc * p.weight_out;
}

/* Where channel 0 of the pixel lies that one at @n, @y, @x gathers; NOTHING: it is padding. */
uint gathered_place(uint n, uint y, uint x, uint ky, uint kx)
{
    int iy = padded(int(y * p.sh + ky) - p.pad_top, int(p.in_h));
    int ix = padded(int(x * p.sw + kx) - p.pad_left, int(p.in_w));
    if (iy < 0 || ix < 0)
        return NOTHING;
    return ((n * p.in_h + uint(iy)) * p.in_w + uint(ix)) * p.in_pixel + p.in_first;
}

void store_gradient(uint place, uint split, float sum)
{
    if (p.splits > 1)
        gradient[split * row_count() * p.out_c + place] = sum;
    else
        gradient[place] = p.adds != 0 ? gradient[place] + sum : sum;
}
