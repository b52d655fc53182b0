/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "atomic-file.h"

#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(PixAtomicFile *atomic, int reason, GError **error)
{
    return pix_fail(error, PIX_ERROR_IO, "%s: %" G_GUINT64_FORMAT " bytes cannot be written: %s",
                    atomic->label, atomic->total_bytes, g_strerror(reason));
}

/* Not mkstemp(): its files are private, and asking for the umask would change it for a moment. */
static bool make_temporary(PixAtomicFile *atomic, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(atomic->file);
    for (int attempt = 0; attempt < 100; attempt++) {
        g_autofree char *name =
            g_strdup_printf(".pix2pix-%08x%08x.tmp", g_random_int(), g_random_int());
        g_autofree char *path = g_build_filename(folder, name, NULL);
        atomic->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (atomic->fd >= 0) {
            atomic->temporary = g_steal_pointer(&path);
            return true;
        }
        if (errno != EEXIST && errno != EINTR)
            break;
    }
    return fail(atomic, errno, error);
}

bool pix_atomic_begin(PixAtomicFile *atomic, const char *file, guint64 total_bytes, GError **error)
{
    *atomic = (PixAtomicFile){.fd = -1, .total_bytes = total_bytes};
    atomic->label = g_filename_display_name(file);
    /* Replace what a link points to, not the link; and never a device such as /dev/null. */
    char *real = realpath(file, NULL);
    atomic->file = g_strdup(real ? real : file);
    free(real);
    struct stat info;
    if (stat(atomic->file, &info) == 0 && !S_ISREG(info.st_mode)) {
        pix_fail(error, PIX_ERROR_IO, "%s: is %s; name a file to write", atomic->label,
                 S_ISDIR(info.st_mode) ? "a folder" : "a pipe or device");
        goto fail;
    }
    if (make_temporary(atomic, error))
        return true;

fail:
    pix_atomic_clear(atomic);
    return false;
}

bool pix_atomic_write(PixAtomicFile *atomic, const void *bytes, size_t n, GError **error)
{
    const char *next = bytes;
    while (n > 0) {
        ssize_t done = write(atomic->fd, next, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return fail(atomic, done < 0 ? errno : EIO, error);
        next += done;
        n -= (size_t)done;
    }
    return true;
}

bool pix_atomic_flush(PixAtomicFile *atomic, GError **error)
{
    struct stat info;
    int result;
    do
        result = fsync(atomic->fd);
    while (result != 0 && errno == EINTR);
    if (result != 0 || fstat(atomic->fd, &info) != 0)
        return fail(atomic, errno, error);
    if ((guint64)info.st_size != atomic->total_bytes)
        return fail(atomic, EIO, error);
    return true;
}

/* Makes the new name last. Some file systems cannot do this to folders; they say so, and there is
 * nothing more to be done. */
static int sync_folder(const char *file)
{
    g_autofree char *path = g_path_get_dirname(file);
    int reason = 0;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES ? 0 : errno; /* a folder that may be written and not read */
    while (fsync(fd) != 0) {
        reason = errno;
        if (reason != EINTR)
            break;
        reason = 0;
    }
    close(fd);
    return reason == EINVAL || reason == ENOTSUP || reason == EROFS ? 0 : reason;
}

bool pix_atomic_finish(PixAtomicFile *atomic, GError **error)
{
    /* Network file systems report some failures only here. The descriptor is gone in any case. */
    int result = close(atomic->fd);
    atomic->fd = -1;
    if (result != 0 && errno != EINTR)
        return fail(atomic, errno, error);
    if (rename(atomic->temporary, atomic->file) != 0)
        return fail(atomic, errno, error);
    g_clear_pointer(&atomic->temporary, g_free);
    int reason = sync_folder(atomic->file);
    return reason == 0 || fail(atomic, reason, error);
}

void pix_atomic_clear(PixAtomicFile *atomic)
{
    if (atomic->fd >= 0)
        close(atomic->fd);
    atomic->fd = -1;
    if (atomic->temporary)
        unlink(atomic->temporary);
    g_clear_pointer(&atomic->temporary, g_free);
    g_clear_pointer(&atomic->file, g_free);
    g_clear_pointer(&atomic->label, g_free);
}
