/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The checksum that ends a safetensors file whose loss would cost more than its download: CRC-32 (as
 * of zip files) of all bytes before it, as a little-endian I64, which are the file's last 8 bytes.
 */
#ifndef PIX_SAFETENSORS_CHECKSUM_H
#define PIX_SAFETENSORS_CHECKSUM_H

#include "reader.h"

/** pix_checksum_add: Continues @checksum, 0 at the start, over @n bytes. */
guint64 pix_checksum_add(guint64 checksum, const void *bytes, size_t n);
/** pix_checksum_store: As it stands in the file. @bytes: 8 of them. */
void pix_checksum_store(guint64 checksum, void *bytes);
/** pix_checksum_verify: Errors: IO, BAD_CHECKPOINT, without the file's name. */
bool pix_checksum_verify(const PixReader *reader, GError **error);

#endif
