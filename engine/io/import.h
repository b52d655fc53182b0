/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * A file's tensors as the parameters of a network: which network it is, which tensor serves which
 * parameter, and how its values must be rearranged.
 */
#ifndef PIX_IMPORT_H
#define PIX_IMPORT_H

#include "checkpoint-metadata.h"
#include "import-recognise.h"

/** PixAxisOrder: how the channels of an axis stand in the file. */
typedef enum {
    PIX_AXIS_SAME,
    PIX_AXIS_BGR,    /* each three channels the other way round */
    PIX_AXIS_HALVES, /* the second half first */
} PixAxisOrder;

/** PixSource: where the values of one parameter come from. */
typedef struct {
    const PixEntry *entry;
    const PixEntry *scale; /* (nullable): of an I8 entry: one factor for each output channel */
    PixAxisOrder axis[2];  /* of the parameter's first two dimensions */
    bool kernel_first;     /* (kh, kw, second, first): TensorFlow's order, for both convolutions */
} PixSource;

typedef struct {
    PixLayout layout;
    PixArch arch;
    PixSettings settings; /* what AUTO statistics mean, and the frame size that it is made for */
    PixMeasured measured; /* of a native file */
    PixGraph *graph;
    GArray *sources;  /* of PixSource, one for each parameter of the graph */
    GPtrArray *notes; /* of lines; NULL-terminated */
} PixImport;

/**
 * pix_import_new:
 * Recognises a network and matches every tensor with it by name, shape and type.
 * @domain: (nullable): which one, where the container holds several.
 * Errors: BAD_CHECKPOINT, with every missing, unexpected and unfitting tensor in one line;
 * UNSUPPORTED where there are several and none is asked for; NOT_FOUND for a domain that it has
 * not. The text starts with the file's name and a colon.
 */
PixImport *pix_import_new(const PixContainer *container, const char *domain, GError **error);
void pix_import_free(PixImport *import); /* accepts NULL */

/**
 * pix_import_read:
 * The values of parameter @index, row-major in the order of its own dimensions.
 * @values: as many as the parameter has.  Errors: IO, BAD_CHECKPOINT, NO_MEMORY.
 */
bool pix_import_read(const PixImport *import, PixContainer *container, guint index, float *values,
                     GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PixImport, pix_import_free)

#endif
