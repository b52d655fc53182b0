/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "safetensors-checksum.h"

#include <string.h>
#include <zlib.h>

#include "error.h"
#include "safetensors.h"

/* Bytes read at a time. */
#define CHUNK (1u << 20)

guint64 pix_checksum_add(guint64 checksum, const void *bytes, size_t n)
{
    return crc32_z((uLong)checksum, bytes, n);
}

void pix_checksum_store(guint64 checksum, void *bytes)
{
    guint64 little = GUINT64_TO_LE(checksum);
    memcpy(bytes, &little, sizeof little);
}

bool pix_checksum_verify(const PixReader *reader, GError **error)
{
    guint64 checksum = 0, found, expected;
    if (reader->size < sizeof found)
        return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT, "is cut short");
    guint64 end = reader->size - sizeof found;
    g_autofree guint8 *chunk = g_malloc(CHUNK);
    for (guint64 at = 0; at < end; at += CHUNK) {
        size_t n = (size_t)MIN(CHUNK, end - at);
        if (!pix_reader_read(reader, at, chunk, n, error))
            return false;
        checksum = pix_checksum_add(checksum, chunk, n);
    }
    if (!pix_reader_read(reader, end, &found, sizeof found, error))
        return false;
    pix_checksum_store(checksum, &expected);
    if (found != expected)
        return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                        "its checksum is wrong: it is damaged, or no file of this kind");
    return true;
}

bool pix_safetensors_verify(const char *file, GError **error)
{
    PixReader reader;
    if (!pix_reader_open(&reader, file, error))
        return false;
    bool good = pix_checksum_verify(&reader, error);
    pix_reader_close(&reader);
    if (!good) {
        g_autofree char *label = g_filename_display_name(file);
        g_prefix_error(error, "%s: ", label);
    }
    return good;
}
