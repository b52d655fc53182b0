/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "output-file.h"

#include <errno.h>
#include <fcntl.h>
#include <pix2pix/pix.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Temporary files are called as the library calls its own, so that one rule finds both. */
#define TEMPORARY_PREFIX ".pix2pix-"
#define TEMPORARY_SUFFIX ".tmp"
#define MAX_DESCRIPTORS 256 /* they are handed out from the lowest on, and we have few */

static gboolean fail(const char *file, int code, GError **error)
{
    g_set_error(error, PIX_ERROR, PIX_ERROR_IO, "%s: cannot be written (%s), choose another place",
                file, g_strerror(code));
    return FALSE;
}

OutputFile *output_file_open(const char *file, GError **error)
{
    struct stat there;

    /* Renaming over a device or a pipe would replace it. */
    if (!stat(file, &there) && !S_ISREG(there.st_mode)) {
        fail(file, S_ISDIR(there.st_mode) ? EISDIR : EEXIST, error);
        return NULL;
    }
    OutputFile *output = g_new0(OutputFile, 1);
    output->name = g_strdup(file);
    g_autofree char *folder = g_path_get_dirname(file);
    output->temporary = g_build_filename(folder, TEMPORARY_PREFIX "XXXXXX" TEMPORARY_SUFFIX, NULL);
    int fd = g_mkstemp_full(output->temporary, O_WRONLY | O_CLOEXEC, 0666);
    output->stream = fd < 0 ? NULL : fdopen(fd, "wb");
    if (!output->stream) {
        fail(file, errno, error);
        if (fd < 0)
            output->temporary[0] = 0; /* nothing to remove */
        else
            close(fd);
        output_file_discard(output);
        return NULL;
    }
    return output;
}

/* Makes the new name last. Some file systems cannot do this to folders; nothing more can be done. */
static gboolean sync_folder(const char *file)
{
    g_autofree char *path = g_path_get_dirname(file);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), reason = 0;

    if (fd < 0)
        return errno == EACCES; /* it may be written and not read */
    while (fsync(fd) && (reason = errno) == EINTR)
        reason = 0;
    close(fd);
    errno = reason;
    return reason == 0 || reason == EINVAL || reason == ENOTSUP || reason == EROFS;
}

gboolean output_file_commit(OutputFile *output, GError **error)
{
    gboolean written =
        !fflush(output->stream) && !ferror(output->stream) && !fsync(fileno(output->stream));
    int code = errno;

    if (fclose(output->stream) && written) {
        written = FALSE;
        code = errno;
    }
    output->stream = NULL;
    if (written && rename(output->temporary, output->name)) {
        written = FALSE;
        code = errno;
    }
    if (written) {
        output->temporary[0] = 0;
        written = sync_folder(output->name);
        code = errno;
    }
    if (!written)
        fail(output->name, code, error);
    output_file_discard(output);
    return written;
}

void output_file_discard(OutputFile *output)
{
    if (!output)
        return;
    if (output->stream)
        fclose(output->stream);
    if (output->temporary[0])
        unlink(output->temporary);
    g_free(output->temporary);
    g_free(output->name);
    g_free(output);
}

/* Whether @path, of @length bytes, is called as temporary files are. */
static gboolean is_temporary(const char *path, gsize length)
{
    const gsize prefix = strlen(TEMPORARY_PREFIX), suffix = strlen(TEMPORARY_SUFFIX);
    gsize name = length;

    while (name > 0 && path[name - 1] != '/')
        name--;
    return length - name >= prefix + suffix && !memcmp(path + name, TEMPORARY_PREFIX, prefix) &&
           !memcmp(path + length - suffix, TEMPORARY_SUFFIX, suffix);
}

void output_file_abandon_all(void)
{
    char link[] = "/proc/self/fd/000", path[4096];
    char *digits = link + sizeof(link) - 4;

    for (int fd = 0; fd < MAX_DESCRIPTORS; fd++) {
        int flags = fcntl(fd, F_GETFL);
        if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
            continue;
        /* No snprintf() here; and the kernel wants no leading zeros. */
        char *end = digits;
        if (fd >= 100)
            *end++ = '0' + fd / 100;
        if (fd >= 10)
            *end++ = '0' + fd / 10 % 10;
        *end++ = '0' + fd % 10;
        *end = 0;
        gssize length = readlink(link, path, sizeof(path) - 1);
        if (length > 0 && is_temporary(path, length)) {
            path[length] = 0;
            unlink(path);
        }
    }
}
