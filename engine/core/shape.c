/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shape.h"

#include <stdint.h>

bool pix_shape_valid(PixShape shape)
{
    const int sides[4] = {shape.n, shape.c, shape.h, shape.w};
    uint64_t count = sizeof(float);
    for (int i = 0; i < 4; i++) {
        if (sides[i] < 1 || sides[i] > PIX_MAX_SIDE)
            return false;
        /* Below 2^40 before each product of at most 2^20, so that none overflows. */
        count *= (uint64_t)sides[i];
        if (count > UINT64_C(1) << 40)
            return false;
    }
    int64_t pixels = (int64_t)shape.n * shape.h * shape.w; /* at most 2^60 */
    return pixels <= PIX_MAX_PIXELS && count <= SIZE_MAX / 2;
}

size_t pix_shape_count(PixShape shape)
{
    return (size_t)shape.n * (size_t)shape.c * (size_t)shape.h * (size_t)shape.w;
}

bool pix_shape_equal(PixShape a, PixShape b)
{
    return a.n == b.n && a.c == b.c && a.h == b.h && a.w == b.w;
}

int pix_conv_side(int side, int kernel, int stride, int before, int after)
{
    int room = side + before + after - kernel;
    return room < 0 ? 0 : room / stride + 1;
}

int pix_deconv_side(int side, int kernel, int stride, int before, int after, int output_pad)
{
    int64_t out = (int64_t)(side - 1) * stride - before - after + kernel + output_pad;
    return out < 1 || out > PIX_MAX_SIDE ? 0 : (int)out;
}

int pix_reflect_index(int i, int side)
{
    if (i < 0)
        i = -i;
    return i < side ? i : 2 * (side - 1) - i;
}

int pix_replicate_index(int i, int side)
{
    return i < 0 ? 0 : i < side ? i : side - 1;
}
