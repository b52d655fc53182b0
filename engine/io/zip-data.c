/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zip-data.h"

#include "checked.h"
#include "container-private.h"
#include "error.h"

#include <string.h>
#include <zip.h>

/* What libzip reads from: a PixReader with a position. */
typedef struct {
    const PixReader *reader;
    guint64 position;
    zip_error_t error;
} Source;

struct PixZipData {
    Source source;
    zip_t *archive;
    const PixZipLayout *layout;
};

static zip_int64_t source_read(Source *source, void *bytes, zip_uint64_t n)
{
    guint64 left = source->reader->size - source->position;
    n = MIN(n, left);
    if (!pix_reader_read(source->reader, source->position, bytes, (size_t)n, NULL)) {
        zip_error_set(&source->error, ZIP_ER_READ, 0);
        return -1;
    }
    source->position += n;
    return (zip_int64_t)n;
}

static zip_int64_t source_seek(Source *source, void *args, zip_uint64_t n)
{
    zip_int64_t position = zip_source_seek_compute_offset(source->position, source->reader->size,
                                                          args, n, &source->error);
    if (position < 0)
        return -1;
    source->position = (guint64)position;
    return 0;
}

static zip_int64_t source_stat(const Source *source, void *target)
{
    zip_stat_t *stat = target;
    zip_stat_init(stat);
    stat->valid = ZIP_STAT_SIZE;
    stat->size = source->reader->size;
    return sizeof *stat;
}

static zip_int64_t source_command(void *user_data, void *argument, zip_uint64_t n,
                                  zip_source_cmd_t command)
{
    Source *source = user_data;
    switch (command) {
    case ZIP_SOURCE_OPEN:
        source->position = 0;
        return 0;
    case ZIP_SOURCE_READ:
        return source_read(source, argument, n);
    case ZIP_SOURCE_SEEK:
        return source_seek(source, argument, n);
    case ZIP_SOURCE_TELL:
        return (zip_int64_t)source->position;
    case ZIP_SOURCE_STAT:
        return source_stat(source, argument);
    case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&source->error, argument, n);
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_FREE: /* it is part of the PixZipData */
        return 0;
    case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_SEEK,
                                              ZIP_SOURCE_TELL, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR,
                                              ZIP_SOURCE_CLOSE, ZIP_SOURCE_FREE, -1);
    default:
        zip_error_set(&source->error, ZIP_ER_OPNOTSUPP, 0);
        return -1;
    }
}

/* libzip must see the archive as zip-layout does. */
static bool agrees(PixZipData *data)
{
    const GArray *entries = data->layout->entries;
    if (zip_get_num_entries(data->archive, 0) != (zip_int64_t)entries->len)
        return false;
    for (guint i = 0; i < entries->len; i++) {
        const PixZipEntry *entry = &g_array_index(entries, PixZipEntry, i);
        zip_stat_t stat;
        if (zip_stat_index(data->archive, i, ZIP_FL_ENC_RAW, &stat) != 0 ||
            strcmp(stat.name, entry->path) != 0 || stat.size != entry->size ||
            stat.comp_size != entry->size || stat.comp_method != ZIP_CM_STORE ||
            stat.crc != entry->crc)
            return false;
    }
    return true;
}

PixZipData *pix_zip_data_open(const PixReader *reader, const PixZipLayout *layout, GError **error)
{
    PixZipData *data = g_new0(PixZipData, 1);
    zip_error_t reason;
    data->source.reader = reader;
    data->layout = layout;
    zip_error_init(&data->source.error);
    zip_error_init(&reason);
    zip_source_t *source = zip_source_function_create(source_command, &data->source, &reason);
    data->archive = source ? zip_open_from_source(source, ZIP_RDONLY, &reason) : NULL;
    if (!data->archive) {
        pix_fail(error, PIX_ERROR_BAD_CHECKPOINT, "is a broken zip archive: %s",
                 zip_error_strerror(&reason));
        zip_source_free(source); /* accepts NULL */
        goto fail;
    }
    if (!agrees(data)) {
        pix_fail(error, PIX_ERROR_BAD_CHECKPOINT, "is a zip archive that can be read in two ways");
        goto fail;
    }
    zip_error_fini(&reason);
    return data;

fail:
    zip_error_fini(&reason);
    pix_zip_data_close(data);
    return NULL;
}

void pix_zip_data_close(PixZipData *data)
{
    if (!data)
        return;
    if (data->archive)
        zip_discard(data->archive);
    zip_error_fini(&data->source.error);
    g_free(data);
}

static bool read_failed(zip_file_t *file, GError **error)
{
    zip_error_t *reason = zip_file_get_error(file);
    if (zip_error_code_zip(reason) == ZIP_ER_CRC)
        return pix_fail(
            error, PIX_ERROR_BAD_CHECKPOINT,
            "has a wrong checksum: the file is damaged, get it again; or if it was saved "
            "with torch.serialization.set_crc32_options(False), save it with True");
    return pix_fail(error, PIX_ERROR_IO, "cannot be read: %s", zip_error_strerror(reason));
}

/* The checksum is verified by the read that finds the end. */
static bool read_end(zip_file_t *file, const PixZipEntry *entry, bool may_lack_checksum,
                     GError **error)
{
    char none;
    zip_int64_t got = zip_fread(file, &none, 1);
    if (got == 0)
        return true;
    if (got > 0)
        return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT, "has another size in its archive");
    bool wrong = zip_error_code_zip(zip_file_get_error(file)) == ZIP_ER_CRC;
    return (wrong && may_lack_checksum && entry->crc == 0) || read_failed(file, error);
}

bool pix_zip_data_read(PixZipData *data, guint index, guint64 offset, guint64 n, void *target,
                       bool may_lack_checksum, GError **error)
{
    enum { CHUNK = 256 * 1024 };
    const PixZipEntry *entry = &g_array_index(data->layout->entries, PixZipEntry, index);
    g_assert(pix_checked_inside(offset, n, entry->size));
    zip_file_t *file = zip_fopen_index(data->archive, index, 0);
    if (!file)
        return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT, "is a broken zip archive: %s",
                        zip_strerror(data->archive));
    g_autofree guint8 *scratch = pix_try_alloc(CHUNK, 1, error);
    bool ok = scratch != NULL;
    guint64 at = 0, end = offset + n;
    while (ok && at < entry->size) {
        /* Into its place where it is wanted, else only past the checksum. */
        bool wanted = at >= offset && at < end;
        guint64 stop = at < offset ? offset : wanted ? end : entry->size;
        guint8 *place = wanted ? (guint8 *)target + (at - offset) : scratch;
        guint64 most = wanted ? 16 * CHUNK : CHUNK;
        zip_int64_t got = zip_fread(file, place, MIN(stop - at, most));
        if (got > 0)
            at += (guint64)got;
        else
            ok = got < 0 ? read_failed(file, error)
                         : pix_broken(error, "an entry of its archive is cut off");
    }
    ok = ok && read_end(file, entry, may_lack_checksum, error);
    zip_fclose(file);
    return ok;
}
