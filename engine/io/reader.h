/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Random access to the bytes of a file or of a block of memory. Files are read, never mapped: a
 * file that somebody truncates must give an error, not a SIGBUS.
 */
#ifndef PIX_READER_H
#define PIX_READER_H

#include <glib.h>
#include <stdbool.h>

typedef struct {
    int fd;        /* -1 for memory */
    GBytes *bytes; /* NULL for a file */
    guint64 size;
} PixReader;

/** pix_reader_open: Errors: NOT_FOUND, IO. On failure @reader is closed already. */
bool pix_reader_open(PixReader *reader, const char *file, GError **error);
void pix_reader_open_bytes(PixReader *reader, GBytes *bytes);
void pix_reader_close(PixReader *reader);

/** pix_reader_read: Reads exactly @n bytes. Errors: IO, also where the file has shrunk meanwhile. */
bool pix_reader_read(const PixReader *reader, guint64 offset, void *target, size_t n,
                     GError **error);

/** pix_reader_load: The same into new memory, of at least one byte, for g_free(). */
void *pix_reader_load(const PixReader *reader, guint64 offset, guint64 n, GError **error);

/** pix_try_alloc: Returns: (nullable): memory for @count elements of a tensor, for g_free().
 * Errors: NO_MEMORY. */
void *pix_try_alloc(guint64 count, size_t element_bytes, GError **error);

#endif
