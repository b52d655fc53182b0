/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zip-layout.h"

#include "checked.h"
#include "zip-end.h"

#include <string.h>

enum { LOCAL = 30, CENTRAL = 46 };

/* Stored entries with names in UTF-8 and sizes after the data, as PyTorch writes them. */
#define FLAG_ENCRYPTED (1 | 1 << 6 | 1 << 13)
#define FLAG_DESCRIPTOR (1 << 3)
#define FLAG_UTF8 (1 << 11)

/* Names are never used as paths; they must still mean one thing only. */
static bool check_name(const char *name, size_t length, GError **error)
{
    g_autofree char *shown = pix_printable(name, length);
    const char *end = name + length;
    if (length > 0 && name[length - 1] == '/')
        return zip_broken(error, "'%s' is a folder; zip it without folder entries (zip -D)", shown);
    if (length == 0 || length > PIX_ZIP_MAX_NAME || !g_utf8_validate_len(name, length, NULL))
        return zip_broken(error, "the name '%s' is not proper text", shown);
    for (const char *c = name; c < end; c++)
        if ((guchar)*c < 0x20 || *c == 0x7f || *c == '\\')
            return zip_broken(error, "the name '%s' has a forbidden character", shown);
    for (const char *part = name; part <= end; part++) {
        const char *slash = memchr(part, '/', (size_t)(end - part));
        size_t n = (size_t)((slash ? slash : end) - part);
        if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && memcmp(part, "..", 2) == 0))
            return zip_broken(error, "the name '%s' leads out of the archive", shown);
        part += n;
    }
    return true;
}

/* The name below the top folder, which all entries must share. */
static bool strip_folder(const PixZipLayout *layout, PixZipEntry *entry, GError **error)
{
    const char *slash = strchr(entry->path, '/');
    if (!slash)
        return zip_broken(error, "'%s' is in no folder; did torch.save write it?", entry->path);
    size_t folder = (size_t)(slash + 1 - entry->path);
    if (layout->entries->len > 0) {
        const char *first = g_array_index(layout->entries, PixZipEntry, 0).path;
        if (strncmp(first, entry->path, folder) != 0)
            return zip_broken(error, "it has more than one folder ('%s')", entry->path);
    }
    entry->name = slash + 1;
    if (g_str_has_prefix(entry->name, "data/") && strchr(entry->name + 5, '/'))
        return zip_broken(error, "'%s' is nested too deeply", entry->path);
    return true;
}

/* Takes the 64-bit numbers of saturated fields from the extra field, in the order that the format
 * fixes: size, compressed size, offset. */
static bool widen(const guint8 *extra, size_t length, guint64 *fields[], int n, GError **error)
{
    const guint8 *wide = NULL;
    size_t left = 0;
    while (length >= 4) {
        size_t bytes = zip_get16(extra + 2);
        if (bytes > length - 4)
            break;
        if (zip_get16(extra) == 1 && wide)
            return zip_broken(error, "an entry has two 64-bit fields");
        if (zip_get16(extra) == 1) {
            wide = extra + 4;
            left = bytes;
        }
        extra += 4 + bytes;
        length -= 4 + bytes;
    }
    if (length != 0)
        return zip_broken(error, "an entry's extra field is malformed");
    for (int i = 0; i < n; i++) {
        if (*fields[i] != G_MAXUINT32)
            continue;
        if (left < 8)
            return zip_broken(error, "an entry's 64-bit size is missing");
        *fields[i] = zip_get64(wide);
        wide += 8;
        left -= 8;
    }
    return true;
}

/* One record of the central directory; @used: (out): its bytes. */
static bool parse_central(PixZipLayout *layout, const guint8 *record, size_t left, size_t *used,
                          GError **error)
{
    if (left < CENTRAL || memcmp(record, "PK\1\2", 4) != 0)
        return zip_broken(error, "its directory is cut off");
    size_t name = zip_get16(record + 28), extra = zip_get16(record + 30),
           comment = zip_get16(record + 32);
    *used = CENTRAL + name + extra + comment; /* three 16-bit numbers */
    if (*used > left)
        return zip_broken(error, "its directory is cut off");
    const char *text = (const char *)record + CENTRAL;
    if (!check_name(text, name, error))
        return false;

    PixZipEntry entry = {.path = g_string_chunk_insert_len(layout->strings, text, (gssize)name),
                         .flags = (guint16)zip_get16(record + 8),
                         .method = (guint16)zip_get16(record + 10),
                         .crc = zip_get32(record + 16),
                         .size = zip_get32(record + 24),
                         .header = zip_get32(record + 42)};
    guint64 packed = zip_get32(record + 20);
    guint64 *fields[] = {&entry.size, &packed, &entry.header};
    if (entry.flags & FLAG_ENCRYPTED)
        return zip_broken(error, "'%s' is encrypted", entry.path);
    if (entry.flags & ~(FLAG_DESCRIPTOR | FLAG_UTF8))
        return zip_broken(error, "'%s' has unknown flags", entry.path);
    if (zip_get16(record + 34) != 0)
        return zip_broken(error, "it has several parts");
    if (!widen(record + CENTRAL + name, extra, fields, G_N_ELEMENTS(fields), error) ||
        !strip_folder(layout, &entry, error))
        return false;
    if (packed != entry.size && entry.method == 0)
        return zip_broken(error, "'%s' has two sizes", entry.path);
    if (!g_hash_table_insert(layout->by_name, (gpointer)entry.name,
                             GUINT_TO_POINTER(layout->entries->len + 1)))
        return zip_broken(error, "'%s' is there twice", entry.path);
    g_array_append_val(layout->entries, entry);
    return true;
}

/* The header in front of the data must say what the directory says; sizes may be left to a record
 * after the data. */
static bool check_local(const PixReader *reader, PixZipEntry *entry, guint64 limit, GError **error)
{
    guint8 header[LOCAL + PIX_ZIP_MAX_NAME];
    size_t name = strlen(entry->path);
    if (!pix_checked_inside(entry->header, LOCAL + name, limit))
        return zip_broken(error, "'%s' lies outside the archive", entry->path);
    if (!pix_reader_read(reader, entry->header, header, LOCAL + name, error))
        return false;
    if (memcmp(header, "PK\3\4", 4) != 0)
        return zip_broken(error, "'%s' has no header", entry->path);
    if (zip_get16(header + 26) != name || memcmp(header + LOCAL, entry->path, name) != 0)
        return zip_broken(error, "'%s' has another name in its own header", entry->path);
    if (zip_get16(header + 6) != entry->flags || zip_get16(header + 8) != 0)
        return zip_broken(error, "'%s' has other flags in its own header", entry->path);

    bool later = entry->flags & FLAG_DESCRIPTOR;
    guint32 crc = zip_get32(header + 14), packed = zip_get32(header + 18),
            size = zip_get32(header + 22);
    bool same_size = size == packed && (size == entry->size || size == G_MAXUINT32);
    bool no_size = later && size == 0 && packed == 0;
    if (!(same_size || no_size) || !(crc == entry->crc || (later && crc == 0)))
        return zip_broken(error, "'%s' has another size or checksum in its own header",
                          entry->path);

    entry->payload = entry->header + LOCAL + name; /* inside, as checked above */
    if (!pix_checked_add(entry->payload, zip_get16(header + 28), &entry->payload) ||
        !pix_checked_inside(entry->payload, entry->size, limit))
        return zip_broken(error, "'%s' lies outside the archive", entry->path);
    return true;
}

static int by_header(gconstpointer a, gconstpointer b)
{
    const PixZipEntry *x = *(const PixZipEntry *const *)a, *y = *(const PixZipEntry *const *)b;
    return x->header < y->header ? -1 : x->header > y->header;
}

/* No byte may belong to two entries: that is how zip bombs are made, and how one file shows
 * different readers different contents. */
static bool check_overlap(const PixZipLayout *layout, GError **error)
{
    g_autoptr(GPtrArray) order = g_ptr_array_new();
    for (guint i = 0; i < layout->entries->len; i++)
        g_ptr_array_add(order, &g_array_index(layout->entries, PixZipEntry, i));
    g_ptr_array_sort(order, by_header);
    for (guint i = 1; i < order->len; i++) {
        const PixZipEntry *before = order->pdata[i - 1], *entry = order->pdata[i];
        if (entry->header < before->payload + before->size) /* its end is inside the file */
            return zip_broken(error, "'%s' and '%s' overlap", before->path, entry->path);
    }
    return true;
}

static bool read_entries(PixZipLayout *layout, const PixReader *reader,
                         const PixZipDirectory *directory, GError **error)
{
    g_autofree guint8 *records =
        pix_reader_load(reader, directory->offset, directory->bytes, error);
    if (!records)
        return false;
    size_t at = 0, left = (size_t)directory->bytes, used;
    for (guint64 i = 0; i < directory->n; i++, at += used, left -= used)
        if (!parse_central(layout, records + at, left, &used, error))
            return false;
    if (left != 0)
        return zip_broken(error, "its directory has more than its %" G_GUINT64_FORMAT " entries",
                          directory->n);
    layout->end = directory->offset;
    return true;
}

bool pix_zip_layout_check(PixZipLayout *layout, const PixReader *reader, GError **error)
{
    guint64 total = 0;
    for (guint i = 0; i < layout->entries->len; i++) {
        PixZipEntry *entry = &g_array_index(layout->entries, PixZipEntry, i);
        if (entry->method != 0)
            return zip_broken(error, "'%s' is compressed", entry->path);
        if (!pix_checked_add(total, entry->size, &total) || total > layout->end)
            return zip_broken(error, "its entries are larger than the file");
    }
    for (guint i = 0; i < layout->entries->len; i++)
        if (!check_local(reader, &g_array_index(layout->entries, PixZipEntry, i), layout->end,
                         error))
            return false;
    return check_overlap(layout, error);
}

bool pix_zip_layout_read(PixZipLayout *layout, const PixReader *reader, GError **error)
{
    PixZipDirectory directory;
    *layout = (PixZipLayout){.entries = g_array_new(FALSE, FALSE, sizeof(PixZipEntry)),
                             .by_name = g_hash_table_new(g_str_hash, g_str_equal),
                             .strings = g_string_chunk_new(4096)};
    if (!pix_zip_find_directory(reader, &directory, error))
        return false;
    if (directory.n > PIX_ZIP_MAX_ENTRIES)
        return zip_broken(error, "%" G_GUINT64_FORMAT " entries, at most %d are read", directory.n,
                          PIX_ZIP_MAX_ENTRIES);
    if (directory.bytes > PIX_ZIP_MAX_DIRECTORY)
        return zip_broken(error, "a directory of %" G_GUINT64_FORMAT " bytes, at most %d are read",
                          directory.bytes, PIX_ZIP_MAX_DIRECTORY);
    return read_entries(layout, reader, &directory, error);
}

void pix_zip_layout_clear(PixZipLayout *layout)
{
    g_clear_pointer(&layout->entries, g_array_unref);
    g_clear_pointer(&layout->by_name, g_hash_table_unref);
    g_clear_pointer(&layout->strings, g_string_chunk_free);
}

bool pix_zip_layout_find(const PixZipLayout *layout, const char *name, guint *index)
{
    guint place = GPOINTER_TO_UINT(g_hash_table_lookup(layout->by_name, name));
    *index = place - (place > 0);
    return place > 0;
}
