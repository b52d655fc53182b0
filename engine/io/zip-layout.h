/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The directory of a zip archive, checked so strictly that every zip reader must see the same files
 * in it: stored, not encrypted, side by side, each name once and the same in both headers, under one
 * folder. torch.save writes such archives; anything else is refused.
 * Source: APPNOTE.TXT 6.3.10 (PKWARE); PyTorch's caffe2/serialize/inline_container.cc.
 */
#ifndef PIX_ZIP_LAYOUT_H
#define PIX_ZIP_LAYOUT_H

#include "reader.h"

#define PIX_ZIP_MAX_ENTRIES 100000
#define PIX_ZIP_MAX_DIRECTORY (64 * 1024 * 1024) /* bytes */
#define PIX_ZIP_MAX_NAME 512

typedef struct {
    const char *path; /* "archive/data/0" */
    const char *name; /* below the top folder: "data/0" */
    guint64 header;   /* where its local header starts */
    guint64 payload;  /* where its bytes start */
    guint64 size;
    guint32 crc;
    guint16 flags, method;
} PixZipEntry;

typedef struct {
    GArray *entries;     /* PixZipEntry, in the directory's order */
    GHashTable *by_name; /* name -> index + 1 */
    GStringChunk *strings;
    guint64 end; /* of the entries: where the directory starts */
} PixZipLayout;

/** pix_zip_layout_read: Names alone, to see what kind of archive it is: nothing else in @layout is to
 * be used before pix_zip_layout_check(). Errors: BAD_CHECKPOINT, IO. Clear @layout in any case. */
bool pix_zip_layout_read(PixZipLayout *layout, const PixReader *reader, GError **error);
/** pix_zip_layout_check: All that is promised above. Errors: BAD_CHECKPOINT, IO. */
bool pix_zip_layout_check(PixZipLayout *layout, const PixReader *reader, GError **error);
void pix_zip_layout_clear(PixZipLayout *layout);

/** pix_zip_layout_find: @index: (out): of the entry @name. Returns: whether there is one. */
bool pix_zip_layout_find(const PixZipLayout *layout, const char *name, guint *index);

#endif
