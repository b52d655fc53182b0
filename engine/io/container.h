/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * A file of named tensors, whatever its format. Opening one reads and checks its directory only;
 * values are read one tensor at a time, so that a large file never lies in memory twice. Nothing
 * read from a file is trusted.
 */
#ifndef PIX_CONTAINER_H
#define PIX_CONTAINER_H

#include <pix2pix/pix-types.h>

#include "dtype.h"

#define PIX_MAX_RANK 8

/** PixContainer: Thread-safety: one thread at a time. */
typedef struct PixContainer PixContainer;

/** PixEntry: one tensor of a file. Strings belong to the container. */
typedef struct {
    /* Where it stands in the file's nesting of dicts, joined by '/': "" at the top, "state_dict",
     * "optimizer/state/0" */
    const char *group;
    const char *name; /* its key there: "model.model.0.weight" */
    PixDtype dtype;
    int rank;
    guint64 dims[PIX_MAX_RANK];
    guint64 count; /* product of dims */
} PixEntry;

/**
 * pix_container_open:
 * Recognises the format by content: safetensors, PyTorch zip, PyTorch legacy, .pict.
 * Errors: NOT_FOUND, IO, BAD_CHECKPOINT, UNSUPPORTED; the text starts with @file and a colon.
 */
PixContainer *pix_container_open(const char *file, GError **error);

/** pix_container_open_bytes: The same on memory. @label: stands for the file's name in errors. */
PixContainer *pix_container_open_bytes(GBytes *bytes, const char *label, GError **error);

void pix_container_free(PixContainer *container); /* accepts NULL */

/** pix_container_get_format: "safetensors", "pytorch-zip", "pytorch-legacy" or "pict". */
const char *pix_container_get_format(const PixContainer *container);
/** pix_container_get_label: The file's name for messages. */
const char *pix_container_get_label(const PixContainer *container);

guint pix_container_get_n_entries(const PixContainer *container);
const PixEntry *pix_container_get_entry(const PixContainer *container, guint index);
/** pix_container_find: Returns: (nullable): the entry @name of @group. */
const PixEntry *pix_container_find(const PixContainer *container, const char *group,
                                   const char *name);

/** PixOther: something in a file that is no tensor, for messages on a tensor that is missing there.
 * Strings belong to the container. */
typedef struct {
    const char *group, *name; /* as of PixEntry */
    const char *what;         /* "a numpy array" */
} PixOther;

/** pix_container_get_n_others: Not all are kept where there are very many. */
guint pix_container_get_n_others(const PixContainer *container);
const PixOther *pix_container_get_other(const PixContainer *container, guint index);

/** pix_container_get_metadata: (transfer none): string to string; empty for formats that have none.
 */
GHashTable *pix_container_get_metadata(const PixContainer *container);

/**
 * pix_container_read:
 * Reads @entry as float32, row-major in the order of its dims whatever strides the file uses.
 * @values: entry->count floats.
 * Errors: IO, BAD_CHECKPOINT, NO_MEMORY; UNSUPPORTED for numbers beyond the range of float32.
 */
bool pix_container_read(PixContainer *container, const PixEntry *entry, float *values,
                        GError **error);

#endif
