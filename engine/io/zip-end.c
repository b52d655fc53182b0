/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zip-end.h"

#include "checked.h"

#include <string.h>

enum { END = 22, LOCATOR = 20, END64 = 56 };

/* The 64-bit end record, which PyTorch always writes, in front of its locator. */
static bool read_end64(const PixReader *reader, guint64 locator_at, const guint8 *locator,
                       PixZipDirectory *directory, GError **error)
{
    guint8 end[END64];
    guint64 at = zip_get64(locator + 8);
    if (zip_get32(locator + 4) != 0 || zip_get32(locator + 16) > 1)
        return zip_broken(error, "it has several parts");
    if (!pix_checked_inside(at, END64, locator_at) || at + END64 != locator_at)
        return zip_broken(error, "its 64-bit end record is not where it should be");
    if (!pix_reader_read(reader, at, end, sizeof end, error))
        return false;
    if (memcmp(end, "PK\6\6", 4) != 0 || zip_get64(end + 4) != END64 - 12)
        return zip_broken(error, "its 64-bit end record is malformed");
    if (zip_get32(end + 16) != 0 || zip_get32(end + 20) != 0 ||
        zip_get64(end + 24) != zip_get64(end + 32))
        return zip_broken(error, "it has several parts");
    *directory = (PixZipDirectory){zip_get64(end + 48), zip_get64(end + 40), zip_get64(end + 32)};
    if (!pix_checked_inside(directory->offset, directory->bytes, at) ||
        directory->offset + directory->bytes != at)
        return zip_broken(error, "its directory is not in front of its end record");
    return true;
}

static bool same_or_saturated(guint64 narrow, guint64 saturated, guint64 wide)
{
    return narrow == saturated || narrow == wide;
}

bool pix_zip_find_directory(const PixReader *reader, PixZipDirectory *directory, GError **error)
{
    guint8 end[END], locator[LOCATOR];
    if (reader->size < END)
        return zip_broken(error, "it is cut off");
    guint64 at = reader->size - END;
    if (!pix_reader_read(reader, at, end, sizeof end, error))
        return false;
    if (memcmp(end, "PK\5\6", 4) != 0 || zip_get16(end + 20) != 0)
        return zip_broken(error, "it is cut off, or does not end as torch.save would end it");
    if (zip_get16(end + 4) != 0 || zip_get16(end + 6) != 0 ||
        zip_get16(end + 8) != zip_get16(end + 10))
        return zip_broken(error, "it has several parts");

    PixZipDirectory narrow = {zip_get32(end + 16), zip_get32(end + 12), zip_get16(end + 10)};
    bool has_64 = at >= LOCATOR;
    if (has_64 && !pix_reader_read(reader, at - LOCATOR, locator, sizeof locator, error))
        return false;
    has_64 = has_64 && memcmp(locator, "PK\6\7", 4) == 0;
    if (!has_64) {
        if (narrow.offset == G_MAXUINT32 || narrow.bytes == G_MAXUINT32 || narrow.n == G_MAXUINT16)
            return zip_broken(error, "its 64-bit end record is missing");
        if (!pix_checked_inside(narrow.offset, narrow.bytes, at) ||
            narrow.offset + narrow.bytes != at)
            return zip_broken(error, "its directory is not in front of its end record");
        *directory = narrow;
        return true;
    }
    if (!read_end64(reader, at - LOCATOR, locator, directory, error))
        return false;
    return (same_or_saturated(narrow.offset, G_MAXUINT32, directory->offset) &&
            same_or_saturated(narrow.bytes, G_MAXUINT32, directory->bytes) &&
            same_or_saturated(narrow.n, G_MAXUINT16, directory->n)) ||
           zip_broken(error, "its two end records differ");
}
