/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Writing a file as one unit: into a temporary file in the same folder, which takes the file's place
 * once it is whole and on the disk. A crash at any moment leaves the old file or the new one.
 */
#ifndef PIX_ATOMIC_FILE_H
#define PIX_ATOMIC_FILE_H

#include <glib.h>
#include <stdbool.h>

typedef struct {
    int fd;              /* of the temporary file; -1 once it is closed */
    char *file;          /* what is being replaced, symbolic links followed */
    char *temporary;     /* NULL once it has its place */
    char *label;         /* the name for messages */
    guint64 total_bytes; /* for messages: how much is needed */
} PixAtomicFile;

/** pix_atomic_begin: Makes the temporary file. @total_bytes: what will be written. Errors: IO. */
bool pix_atomic_begin(PixAtomicFile *atomic, const char *file, guint64 total_bytes, GError **error);
/** pix_atomic_write: Appends @n bytes. Errors: IO, with name, bytes needed and reason. */
bool pix_atomic_write(PixAtomicFile *atomic, const void *bytes, size_t n, GError **error);
/** pix_atomic_flush: Waits until what was written is on the disk, and checks the file's size. */
bool pix_atomic_flush(PixAtomicFile *atomic, GError **error);
/** pix_atomic_finish: Puts the file in its place; after pix_atomic_flush(). */
bool pix_atomic_finish(PixAtomicFile *atomic, GError **error);
/** pix_atomic_clear: Frees everything and removes what is unfinished. */
void pix_atomic_clear(PixAtomicFile *atomic);

#endif
