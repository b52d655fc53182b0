/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What the tests of file readers share. Blocks have exactly the size of their contents, so that a
 * read beyond the end is a read beyond the block.
 */
#ifndef PIX_TEST_FILES_H
#define PIX_TEST_FILES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "container-private.h"

#include <string.h>

/** exact_bytes: A copy of @data in a block of its own. */
static inline GBytes *exact_bytes(const void *data, size_t size)
{
    return g_bytes_new_take(g_memdup2(data, size), size);
}

/** golden_file: (transfer full): the contents of tests/golden/containers/@name. */
static inline GBytes *golden_file(const char *name)
{
    g_autofree char *path = g_build_filename(GOLDEN_CONTAINERS, name, NULL);
    g_autofree char *contents = NULL;
    gsize size;
    if (!g_file_get_contents(path, &contents, &size, NULL))
        fail_msg("%s cannot be read", path);
    return exact_bytes(contents, size);
}

/** open_data: Opens @size bytes as a file called "file". */
static inline PixContainer *open_data(const void *data, size_t size, GError **error)
{
    g_autoptr(GBytes) bytes = exact_bytes(data, size);
    return pix_container_open_bytes(bytes, "file", error);
}

/** check_error: @error is @code with @text in its one line; it is cleared. */
static inline void check_error(GError **error, int code, const char *text)
{
    assert_non_null(*error);
    if ((*error)->code != code || !strstr((*error)->message, text) ||
        strchr((*error)->message, '\n'))
        fail_msg("wanted error %d with '%s', got %d: %s", code, text, (*error)->code,
                 (*error)->message);
    g_clear_error(error);
}

/** refuse_data: Opening @data gives that error. */
static inline void refuse_data(const void *data, size_t size, int code, const char *text)
{
    GError *error = NULL;
    assert_null(open_data(data, size, &error));
    assert_true(g_str_has_prefix(error->message, "file: "));
    check_error(&error, code, text);
}

/** use_data: Opens @data and reads everything, if that is possible. Returns: whether it was. An
 * error must be set exactly if it was not. */
static inline bool use_data(const void *data, size_t size)
{
    GError *error = NULL;
    PixContainer *container = open_data(data, size, &error);
    assert_true((container != NULL) == (error == NULL));
    for (guint i = 0; container && !error && i < pix_container_get_n_entries(container); i++) {
        const PixEntry *entry = pix_container_get_entry(container, i);
        float *values = g_new(float, entry->count);
        bool ok = pix_container_read(container, entry, values, &error);
        assert_true(ok == (error == NULL));
        g_free(values);
    }
    bool ok = error == NULL;
    g_clear_error(&error);
    pix_container_free(container);
    return ok;
}

/** check_cut: Every beginning of @data is refused, and so are single changed bytes or they do no
 * harm. */
static inline void check_cut_and_changed(GBytes *bytes)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(bytes, &size);
    assert_true(use_data(data, size));
    for (gsize n = 0; n < size; n++)
        assert_false(use_data(data, n));
    static const guint8 changes[] = {0x01, 0x80, 0xff};
    g_autofree guint8 *changed = g_memdup2(data, size);
    for (gsize i = 0; i < size; i++)
        for (guint j = 0; j < G_N_ELEMENTS(changes); j++) {
            changed[i] = data[i] ^ changes[j];
            use_data(changed, size);
            changed[i] = data[i];
        }
}

#endif
