/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What other projects call the parameters of the networks that we know under the names of
 * junyanz's pytorch-CycleGAN-and-pix2pix.
 */
#ifndef PIX_IMPORT_NAMES_H
#define PIX_IMPORT_NAMES_H

#include "import-recognise.h"

/**
 * pix_import_name:
 * @name: a parameter of the graph that pix_arch_build() makes of @arch.
 * Returns: (transfer full): its key in a file of @layout.
 */
char *pix_import_name(PixLayout layout, const PixArch *arch, const char *name);

#endif
