/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What there is to say of a network.
 */
#ifndef PIX_MODEL_INFO_H
#define PIX_MODEL_INFO_H

#include <pix2pix/pix.h>

#include "checkpoint-metadata.h"

/**
 * pix_model_info_init:
 * @graph: of @arch.  @architecture: (transfer none): pix_arch_name(); layout, container and mix,
 * which a file has, are left NULL.
 */
void pix_model_info_init(PixModelInfo *info, const PixArch *arch, const PixGraph *graph,
                         const PixSettings *settings, const char *architecture);

/** pix_model_has_dropout: Whether there is a layer of it. */
bool pix_model_has_dropout(const PixGraph *graph);

#endif
