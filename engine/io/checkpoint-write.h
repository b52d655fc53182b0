/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Writing native checkpoints: checkpoint-format.md.
 */
#ifndef PIX_CHECKPOINT_WRITE_H
#define PIX_CHECKPOINT_WRITE_H

#include "checkpoint-metadata.h"

/**
 * PixReadParam:
 * Gives the values of parameter @index of the graph, row-major. Called once for each, in order.
 */
typedef bool (*PixReadParam)(gpointer user_data, guint index, float *values, GError **error);

/**
 * pix_checkpoint_write:
 * Writes @file as one atomic unit (see pix_safetensors_write()). The bytes are a function of the
 * arguments and of the values that @read gives.
 * @graph: what pix_arch_build() makes of @arch.  @measured: (nullable): of these weights.
 * Errors: IO, NO_MEMORY, those of @read; UNSUPPORTED where a kernel has values that
 * settings->precision cannot hold.
 */
bool pix_checkpoint_write(const char *file, const PixArch *arch, const PixGraph *graph,
                          const PixSettings *settings, const PixMeasured *measured,
                          PixReadParam read, gpointer user_data, GError **error);

#endif
