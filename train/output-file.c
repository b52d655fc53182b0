/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "output-file.h"

#include <errno.h>
#include <fcntl.h>
#include <pix2pix/pix.h>
#include <sys/stat.h>
#include <unistd.h>

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
    output->temporary = g_strconcat(file, ".XXXXXX", NULL);
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
    if (!written)
        fail(output->name, code, error);
    else
        output->temporary[0] = 0;
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
