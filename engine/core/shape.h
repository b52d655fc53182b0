/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Arithmetic on shapes: pure functions, overflow included.
 */
#ifndef PIX_SHAPE_H
#define PIX_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

/** PixShape: samples, channels, rows, columns; each at least 1 in a valid shape. */
typedef struct {
    int n, c, h, w;
} PixShape;

/** PIX_MAX_SIDE: the longest side, and the most channels or samples, that anything here accepts. */
#define PIX_MAX_SIDE (1 << 20)

/** PIX_MAX_PIXELS: the most rows times columns times samples: an int counts them. */
#define PIX_MAX_PIXELS (1 << 30)

/** pix_shape_valid: Whether every side is in range and n*c*h*w floats can be addressed. */
bool pix_shape_valid(PixShape shape);

/** pix_shape_count: n*c*h*w of a valid shape. */
size_t pix_shape_count(PixShape shape);

bool pix_shape_equal(PixShape a, PixShape b);

/**
 * pix_conv_side:
 * floor((side + before + after - kernel) / stride) + 1; 0 where the kernel does not fit.
 * Source: torch.nn.Conv2d, dilation 1.
 */
int pix_conv_side(int side, int kernel, int stride, int before, int after);

/**
 * pix_deconv_side:
 * (side - 1) * stride - before - after + kernel + output_pad; 0 where nothing is left.
 * Source: torch.nn.ConvTranspose2d, dilation 1.
 */
int pix_deconv_side(int side, int kernel, int stride, int before, int after, int output_pad);

/**
 * pix_pad_index:
 * Where column @i (-before <= i < side + after) of a padded row comes from, for REFLECT (no edge
 * pixel twice, as torch.nn.ReflectionPad2d) or REPLICATE.
 */
int pix_reflect_index(int i, int side);
int pix_replicate_index(int i, int side);

#endif
