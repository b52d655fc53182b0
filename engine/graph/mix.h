/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * In which precision each convolution of a network makes its products. Maps, weights and all else are
 * as they were: only a device whose table says `mixes` looks at it.
 */
#ifndef PIX_MIX_H
#define PIX_MIX_H

#include "graph.h"

/** pix_graph_convolutions: How many convolutions, plain and transposed, there are. */
guint pix_graph_convolutions(const PixGraph *graph);

/** pix_graph_set_mix: @mix: of each of them, in the graph's order.  @optional: only where that is faster
 * than FP32. */
void pix_graph_set_mix(PixGraph *graph, const PixPrecision *mix, bool optional);

/**
 * pix_mix_whole: A network all in @precision, @n convolutions long. With INT8 the first and the last,
 * which meet the pixels of pictures, stay FP32.
 */
void pix_mix_whole(PixPrecision precision, PixPrecision *mix, guint n);

/**
 * pix_mix_parse:
 * @text: @n names of precisions with a blank between two.  @mix: (out): of @n.
 * Returns: whether it is that, each of them FP32, BF16 or INT8.
 */
bool pix_mix_parse(const char *text, PixPrecision *mix, guint n);

/** pix_mix_is_valid: Whether each of @n is FP32, BF16 or INT8. */
bool pix_mix_is_valid(const PixPrecision *mix, guint n);

/** pix_mix_print: Returns: (transfer full): what pix_mix_parse() takes. */
char *pix_mix_print(const PixPrecision *mix, guint n);

#endif
