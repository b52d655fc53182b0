/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What is kept from one run of a program to the next and can be made again: files in the folder of
 * PIX2PIX_CACHE_DIR, else in pix2pix/ of the user's cache folder. Each belongs to an identity, a text
 * with all that its contents depend on; what was kept under another one, or is not whole, is not
 * found. Without a folder to write to nothing is kept, and that is no error.
 */
#ifndef PIX_CACHE_FILE_H
#define PIX_CACHE_FILE_H

#include <glib.h>

/**
 * pix_cache_read:
 * @kind: the beginning of the file's name.  @bytes: (out).
 * Returns: (transfer full) (nullable): what was kept last; NULL for nothing.
 */
char *pix_cache_read(const char *kind, const char *identity, gsize *bytes);

/** pix_cache_write: Keeps @data, up to 256 MiB, unless it is what is kept already. */
void pix_cache_write(const char *kind, const char *identity, const void *data, gsize bytes);

#endif
