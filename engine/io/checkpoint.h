/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Inside view of a PixCheckpoint: what a model is made of.
 */
#ifndef PIX_CHECKPOINT_H
#define PIX_CHECKPOINT_H

#include <pix2pix/pix.h>

#include "checkpoint-metadata.h"

/** pix_checkpoint_open_bytes: The same on memory. @label: stands for the file's name. */
PixCheckpoint *pix_checkpoint_open_bytes(GBytes *bytes, const char *label, const char *domain,
                                         GError **error);

/** pix_checkpoint_get_label: The file's name for messages. */
const char *pix_checkpoint_get_label(const PixCheckpoint *checkpoint);
const PixArch *pix_checkpoint_get_arch(const PixCheckpoint *checkpoint);
/** pix_checkpoint_get_graph: The network; its parameters are the checkpoint's tensors, in order. */
const PixGraph *pix_checkpoint_get_graph(const PixCheckpoint *checkpoint);
/** pix_checkpoint_get_settings: What AUTO statistics mean for it, and its frame size. */
const PixSettings *pix_checkpoint_get_settings(const PixCheckpoint *checkpoint);

/**
 * pix_checkpoint_read_param:
 * The values of parameter @index of the graph, row-major, whatever type and order the file has.
 * @values: as many as the parameter has.  Errors: IO, BAD_CHECKPOINT, NO_MEMORY.
 */
bool pix_checkpoint_read_param(PixCheckpoint *checkpoint, guint index, float *values,
                               GError **error);

#endif
