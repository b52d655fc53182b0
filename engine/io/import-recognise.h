/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Which network a set of keys is: from names and shapes alone, no values are read.
 */
#ifndef PIX_IMPORT_RECOGNISE_H
#define PIX_IMPORT_RECOGNISE_H

#include "arch.h"
#include "import-keys.h"

/** PixLayout: how a project names and arranges the parameters of a network. */
typedef enum {
    PIX_LAYOUT_NATIVE,      /* our own: checkpoint-format.md */
    PIX_LAYOUT_JUNYANZ,     /* pytorch-CycleGAN-and-pix2pix */
    PIX_LAYOUT_MM,          /* MMGeneration, MMEditing, MMagic: same networks, BGR */
    PIX_LAYOUT_CRYER,       /* cryer/pix2pix */
    PIX_LAYOUT_AFFINELAYER, /* affinelayer/pix2pix-tensorflow and what its .pict export holds */
} PixLayout;

/** pix_layout_name: "native", "junyanz", "mmgeneration", "cryer", "affinelayer". */
const char *pix_layout_name(PixLayout layout);

/** pix_recognise: Returns: whether the keys look like a network that we know. */
bool pix_recognise(const PixKeySet *set, PixLayout *layout, PixArchKind *kind);

/**
 * pix_recognise_arch:
 * Reads all settings of @arch from the keys and shapes of a set that pix_recognise() knows.
 * @notes: receives lines on what had to be assumed.
 * Errors: BAD_CHECKPOINT, without the file's name: the caller has it.
 */
bool pix_recognise_arch(const PixKeySet *set, PixLayout layout, PixArchKind kind, PixArch *arch,
                        GPtrArray *notes, GError **error);

#endif
