/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every file of the folder must give the error that the table says: the same from the disk and from
 * memory, in one line that starts with the file's name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "container.h"

#include <stdio.h>
#include <string.h>

static const char *folder;

static const char *code_name(const GError *error)
{
    static const char *const names[] = {
        [PIX_ERROR_NO_DEVICE] = "NO_DEVICE",
        [PIX_ERROR_DEVICE_LOST] = "DEVICE_LOST",
        [PIX_ERROR_NO_MEMORY] = "NO_MEMORY",
        [PIX_ERROR_NOT_FOUND] = "NOT_FOUND",
        [PIX_ERROR_IO] = "IO",
        [PIX_ERROR_BAD_CHECKPOINT] = "BAD_CHECKPOINT",
        [PIX_ERROR_BAD_SHAPE] = "BAD_SHAPE",
        [PIX_ERROR_UNSUPPORTED] = "UNSUPPORTED",
    };
    return error->domain == PIX_ERROR ? names[error->code] : "another domain";
}

/* Opens and reads everything. Returns: the error. */
static GError *use(PixContainer *container, GError *error)
{
    for (guint i = 0; container && !error && i < pix_container_get_n_entries(container); i++) {
        const PixEntry *entry = pix_container_get_entry(container, i);
        float *values = g_new(float, entry->count + 1);
        pix_container_read(container, entry, values, &error);
        g_free(values);
    }
    pix_container_free(container);
    return error;
}

static bool check(const GError *error, const char *label, const char *code, const char *text)
{
    g_autofree char *prefix = g_strconcat(label, ": ", NULL);
    if (!error) {
        fprintf(stderr, "%s: no error; wanted %s: %s\n", label, code, text);
        return false;
    }
    bool one_line = true;
    for (const char *c = error->message; *c; c++)
        one_line &= (guchar)*c >= 0x20 && *c != 0x7f;
    if (one_line && strcmp(code_name(error), code) == 0 &&
        g_str_has_prefix(error->message, prefix) && strstr(error->message, text) &&
        g_utf8_validate(error->message, -1, NULL))
        return true;
    fprintf(stderr, "wanted %s: ...%s...\n   got %s: %s\n", code, text, code_name(error),
            error->message);
    return false;
}

static bool check_file(const char *name, const char *code, const char *text)
{
    g_autofree char *path = g_build_filename(folder, "files", name, NULL);
    g_autofree char *contents = NULL;
    gsize size;
    assert_true(g_file_get_contents(path, &contents, &size, NULL));

    g_autoptr(GError) from_disk = NULL, from_memory = NULL;
    PixContainer *container = pix_container_open(path, &from_disk);
    from_disk = use(container, g_steal_pointer(&from_disk));
    g_autoptr(GBytes) bytes = g_bytes_new_static(contents, size);
    container = pix_container_open_bytes(bytes, path, &from_memory);
    from_memory = use(container, g_steal_pointer(&from_memory));
    if (!check(from_disk, path, code, text) || !check(from_memory, path, code, text))
        return false;
    return strcmp(from_disk->message, from_memory->message) == 0;
}

static void test_table(void **state)
{
    g_autofree char *path = g_build_filename(folder, "expected.txt", NULL);
    g_autofree char *table = NULL;
    guint n = 0, failed = 0;
    assert_true(g_file_get_contents(path, &table, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(g_strchomp(table), "\n", -1);
    for (; lines[n]; n++) {
        g_auto(GStrv) fields = g_strsplit(lines[n], "\t", -1);
        assert_int_equal(g_strv_length(fields), 3);
        if (!check_file(fields[0], fields[1], fields[2]))
            failed++;
    }
    assert_int_equal(failed, 0);

    g_autofree char *files = g_build_filename(folder, "files", NULL);
    GDir *listing = g_dir_open(files, 0, NULL);
    guint n_files = 0;
    assert_non_null(listing);
    while (g_dir_read_name(listing))
        n_files++;
    g_dir_close(listing);
    assert_int_equal(n_files, n);
}

/* Nobody has to want the reason. */
static void test_without_error(void **state)
{
    g_autofree char *path = g_build_filename(folder, "files", "zip-cut.pth", NULL);
    assert_null(pix_container_open(path, NULL));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_without_error),
    };
    folder = argc > 1 ? argv[1] : ".";
    return cmocka_run_group_tests_name("bad-files", tests, NULL, NULL);
}
