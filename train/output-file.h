/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** A file that is there as a whole or not at all: written beside its name, then renamed. */
#ifndef OUTPUT_FILE_H
#define OUTPUT_FILE_H

#include <glib.h>
#include <stdio.h>

typedef struct {
    FILE *stream; /* write here */
    char *name, *temporary;
} OutputFile;

/** output_file_open: Errors: one line that names @file. */
OutputFile *output_file_open(const char *file, GError **error);
/** output_file_commit: Flushes to the disk, renames and frees @output; discards it on failure. */
gboolean output_file_commit(OutputFile *output, GError **error);
/** output_file_discard: Leaves nothing behind. Accepts NULL. */
void output_file_discard(OutputFile *output);

/**
 * output_file_abandon_all:
 * Removes every temporary file that this process is writing, the library's too. For a signal
 * handler that is about to end the process: uses nothing that is not allowed there.
 */
void output_file_abandon_all(void);

#endif
