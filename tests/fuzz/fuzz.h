/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What the fuzz targets share. A target has one LLVMFuzzerTestOneInput(); libFuzzer calls it, or
 * replay.c with the files of a corpus.
 */
#ifndef PIX_FUZZ_H
#define PIX_FUZZ_H

#include "container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** fuzz_strict: Makes GLib's warnings and criticals end the program. */
static inline void fuzz_strict(void)
{
    g_log_set_always_fatal(
        (GLogLevelFlags)(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_FATAL_MASK));
}

/** fuzz_container: Opens a file of exactly these bytes, and reads all that is not too large. */
static inline void fuzz_container(const uint8_t *data, size_t size)
{
    enum { LARGEST = 1 << 22 }; /* elements; a valid file of any size may be read */
    GBytes *bytes = g_bytes_new_take(g_memdup2(data, size), size);
    GError *error = NULL;
    fuzz_strict();
    PixContainer *container = pix_container_open_bytes(bytes, "fuzz", &error);
    g_assert_true((container != NULL) == (error == NULL));
    g_bytes_unref(bytes);
    if (error)
        g_assert_true(g_str_has_prefix(error->message, "fuzz: ") &&
                      g_utf8_validate(error->message, -1, NULL));
    g_clear_error(&error);
    for (guint i = 0; container && i < pix_container_get_n_entries(container); i++) {
        const PixEntry *entry = pix_container_get_entry(container, i);
        g_assert_true(pix_container_find(container, entry->group, entry->name) == entry);
        if (entry->count > LARGEST)
            continue;
        float *values = g_new(float, entry->count);
        bool ok = pix_container_read(container, entry, values, &error);
        g_assert_true(ok == (error == NULL));
        g_clear_error(&error);
        g_free(values);
    }
    pix_container_free(container);
}

#endif
