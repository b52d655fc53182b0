/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The end of a zip archive, which says where its directory is. There must be exactly one place for
 * it: no comment behind it, no gap in front of it, and both end records saying the same.
 */
#ifndef PIX_ZIP_END_H
#define PIX_ZIP_END_H

#include "container-private.h"
#include "error.h"

/** PixZipDirectory: the central directory: where it is, its size, its number of entries. */
typedef struct {
    guint64 offset, bytes, n;
} PixZipDirectory;

/** pix_zip_find_directory: @directory: (out): inside the file. Errors: BAD_CHECKPOINT, IO. */
bool pix_zip_find_directory(const PixReader *reader, PixZipDirectory *directory, GError **error);

/** zip_broken: Sets the error. Returns: a false that the compiler sees, so that it knows which values
 * are set afterwards. */
#define zip_broken(error, format, ...)                                                             \
    (pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,                                                     \
              "is a broken or foreign zip archive: " format "; get the file again, or let "        \
              "torch.save write it again",                                                         \
              ##__VA_ARGS__),                                                                      \
     false)

/* Numbers of its records. */
static inline guint zip_get16(const guint8 *bytes)
{
    return bytes[0] | (guint)bytes[1] << 8;
}

static inline guint32 zip_get32(const guint8 *bytes)
{
    return zip_get16(bytes) | (guint32)zip_get16(bytes + 2) << 16;
}

static inline guint64 zip_get64(const guint8 *bytes)
{
    return zip_get32(bytes) | (guint64)zip_get32(bytes + 4) << 32;
}

#endif
