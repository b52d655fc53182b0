/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs a fuzz target on every file of a folder: the seeds, and whatever once made it fail. This is
 * how the corpus is part of the normal tests, without a fuzzer. */
#include "fuzz.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    guint n = 0;
    for (int i = 1; i < argc; i++) {
        GDir *listing = g_dir_open(argv[i], 0, NULL);
        const char *name;
        if (!listing) {
            fprintf(stderr, "%s is no folder\n", argv[i]);
            return 1;
        }
        while ((name = g_dir_read_name(listing))) {
            g_autofree char *path = g_build_filename(argv[i], name, NULL);
            g_autofree char *contents = NULL;
            gsize size;
            if (!g_file_get_contents(path, &contents, &size, NULL))
                continue;
            LLVMFuzzerTestOneInput((const uint8_t *)contents, size);
            n++;
        }
        g_dir_close(listing);
    }
    printf("%u files\n", n);
    return n > 0 ? 0 : 1;
}
