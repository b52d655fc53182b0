/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The contents of a zip archive whose directory zip-layout has checked, read through libzip, which
 * verifies the checksums.
 */
#ifndef PIX_ZIP_DATA_H
#define PIX_ZIP_DATA_H

#include "zip-layout.h"

typedef struct PixZipData PixZipData;

/** pix_zip_data_open: @reader, @layout: must outlive the result. Errors: BAD_CHECKPOINT. */
PixZipData *pix_zip_data_open(const PixReader *reader, const PixZipLayout *layout, GError **error);
void pix_zip_data_close(PixZipData *data); /* accepts NULL */

/**
 * pix_zip_data_read:
 * Reads all of entry @index for its checksum, and keeps @n bytes from @offset on.
 * @may_lack_checksum: accept a checksum of 0, which stands for none.
 * Errors: BAD_CHECKPOINT where the checksum is wrong; IO.
 */
bool pix_zip_data_read(PixZipData *data, guint index, guint64 offset, guint64 n, void *target,
                       bool may_lack_checksum, GError **error);

#endif
