/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reader.h"

#include "checked.h"
#include "container-private.h"
#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool pix_reader_open(PixReader *reader, const char *file, GError **error)
{
    *reader = (PixReader){.fd = -1};
    /* O_NONBLOCK: opening a named pipe must not wait for a writer. */
    reader->fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (reader->fd < 0) {
        bool missing = errno == ENOENT || errno == ENOTDIR;
        return pix_fail(error, missing ? PIX_ERROR_NOT_FOUND : PIX_ERROR_IO, "cannot be opened: %s",
                        g_strerror(errno));
    }
    struct stat info;
    if (fstat(reader->fd, &info) != 0) {
        pix_fail(error, PIX_ERROR_IO, "cannot be examined: %s", g_strerror(errno));
        goto fail;
    }
    if (!S_ISREG(info.st_mode)) {
        pix_fail(error, PIX_ERROR_IO, "is %s, not a file of weights",
                 S_ISDIR(info.st_mode) ? "a folder" : "a pipe or device");
        goto fail;
    }
    reader->size = (guint64)info.st_size;
    return true;

fail:
    pix_reader_close(reader);
    return false;
}

void pix_reader_open_bytes(PixReader *reader, GBytes *bytes)
{
    *reader = (PixReader){.fd = -1, .bytes = g_bytes_ref(bytes), .size = g_bytes_get_size(bytes)};
}

void pix_reader_close(PixReader *reader)
{
    if (reader->fd >= 0)
        close(reader->fd);
    g_clear_pointer(&reader->bytes, g_bytes_unref);
    reader->fd = -1;
}

bool pix_reader_read(const PixReader *reader, guint64 offset, void *target, size_t n,
                     GError **error)
{
    if (!pix_checked_inside(offset, n, reader->size))
        return pix_broken(error, "it ends before what it says it holds");
    if (reader->bytes) {
        if (n > 0)
            memcpy(target, (const guint8 *)g_bytes_get_data(reader->bytes, NULL) + offset, n);
        return true;
    }
    guint8 *next = target;
    while (n > 0) {
        ssize_t got = pread(reader->fd, next, n, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return pix_fail(error, PIX_ERROR_IO, "cannot be read: %s", g_strerror(errno));
        if (got == 0)
            return pix_fail(error, PIX_ERROR_IO, "became shorter while it was being read");
        next += got;
        n -= (size_t)got;
        offset += (guint64)got;
    }
    return true;
}

void *pix_reader_load(const PixReader *reader, guint64 offset, guint64 n, GError **error)
{
    if (!pix_checked_inside(offset, n, reader->size)) {
        pix_broken(error, "it ends before what it says it holds");
        return NULL;
    }
    void *block = pix_try_alloc(n, 1, error);
    if (block && !pix_reader_read(reader, offset, block, (size_t)n, error))
        g_clear_pointer(&block, g_free);
    return block;
}

void *pix_try_alloc(guint64 count, size_t element_bytes, GError **error)
{
    size_t bytes = 0;
    bool fits = pix_checked_bytes(count, element_bytes, &bytes);
    void *block = fits ? g_try_malloc(MAX(bytes, 1)) : NULL;
    if (!block)
        pix_fail(
            error, PIX_ERROR_NO_MEMORY,
            "needs %.0f MiB of memory, which are not to be had; close other programs or take a "
            "smaller model",
            (double)count * (double)element_bytes / 1048576.0);
    return block;
}
