/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Two decisions of an import: which of a file's networks is meant, and whether its tensors are
 * exactly those that the network has. Errors are without the file's name: the caller has it.
 */
#ifndef PIX_IMPORT_MATCH_H
#define PIX_IMPORT_MATCH_H

#include "import.h"

/** pix_import_choose: Returns: (transfer none): the set meant, one that pix_recognise() knows. */
const PixKeySet *pix_import_choose(const PixContainer *container, GPtrArray *sets,
                                   const char *domain, GError **error);

/**
 * pix_import_match:
 * Gives every parameter of import->graph its entries in import->sources; nothing may be missing,
 * left over or of another shape.
 */
bool pix_import_match(PixImport *import, const PixKeySet *set, GError **error);

#endif
