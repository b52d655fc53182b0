/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files as torch.save makes them hold exactly the tensors that PyTorch finds in them. The folder is
 * made by make-containers.py, which says what is where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "container-private.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *folder;

static float *read_all(PixContainer *container, const PixEntry *entry)
{
    g_autoptr(GError) error = NULL;
    float *values = g_new(float, entry->count + 1);
    values[entry->count] = -77; /* a guard */
    if (!pix_container_read(container, entry, values, &error))
        fail_msg("%s", error->message);
    assert_true(values[entry->count] == -77);
    return values;
}

static void compare(PixContainer *container, const PixEntry *entry, PixContainer *expected)
{
    g_autofree char *key = g_strdup_printf("%s|%s", entry->group, entry->name);
    const PixEntry *wanted = pix_container_find(expected, "", key);
    if (!wanted)
        fail_msg("%s: %s is not wanted", pix_container_get_label(container), key);
    assert_int_equal(entry->dtype, wanted->dtype);
    assert_int_equal(entry->rank, wanted->rank);
    assert_int_equal(entry->count, wanted->count);
    assert_memory_equal(entry->dims, wanted->dims, (size_t)entry->rank * sizeof(guint64));
    g_autofree float *found = read_all(container, entry), *values = read_all(expected, wanted);
    for (guint64 i = 0; i < entry->count; i++)
        if (memcmp(&found[i], &values[i], sizeof(float)) != 0)
            fail_msg("%s: %s[%u] is %.9g instead of %.9g", pix_container_get_label(container), key,
                     (guint)i, found[i], values[i]);
}

static const char *find_other(PixContainer *container, const char *group, const char *name)
{
    for (guint i = 0; i < pix_container_get_n_others(container); i++) {
        const PixOther *other = pix_container_get_other(container, i);
        if (!strcmp(other->group, group) && !strcmp(other->name, name))
            return other->what;
    }
    return NULL;
}

static guint check_skipped(PixContainer *container, PixContainer *expected)
{
    GHashTableIter iter;
    gpointer key, what;
    guint n = 0;
    g_hash_table_iter_init(&iter, pix_container_get_metadata(expected));
    for (; g_hash_table_iter_next(&iter, &key, &what); n++) {
        g_auto(GStrv) parts = g_strsplit(key, "|", 3);
        assert_string_equal(parts[0], "skipped");
        assert_null(pix_container_find(container, parts[1], parts[2]));
        const char *found = find_other(container, parts[1], parts[2]);
        if (g_strcmp0(found, what) != 0)
            fail_msg("%s: %s is '%s' instead of '%s'", pix_container_get_label(container),
                     (char *)key, found, (char *)what);
    }
    return n;
}

static void check_all(PixContainer *container, const char *expected_path)
{
    g_autoptr(GError) error = NULL;
    PixContainer *expected = pix_container_open(expected_path, &error);
    if (!expected)
        fail_msg("%s", error->message);
    guint n = pix_container_get_n_entries(container);
    assert_int_equal(n, pix_container_get_n_entries(expected));
    for (guint i = 0; i < n; i++) {
        const PixEntry *entry = pix_container_get_entry(container, i);
        assert_ptr_equal(pix_container_find(container, entry->group, entry->name), entry);
        compare(container, entry, expected);
    }
    for (guint i = n; i-- > 0;) /* again, in another order */
        compare(container, pix_container_get_entry(container, i), expected);
    check_skipped(container, expected);
    pix_container_free(expected);
}

static void check_file(const char *path, const char *expected_path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *contents = NULL;
    gsize size;
    PixContainer *container = pix_container_open(path, &error);
    if (!container)
        fail_msg("%s", error->message);
    check_all(container, expected_path);
    g_autofree char *format = g_strdup(pix_container_get_format(container));
    pix_container_free(container);

    assert_true(g_file_get_contents(path, &contents, &size, NULL));
    g_autoptr(GBytes) bytes = g_bytes_new_static(contents, size);
    container = pix_container_open_bytes(bytes, "memory", &error);
    assert_non_null(container);
    assert_string_equal(pix_container_get_label(container), "memory");
    assert_string_equal(pix_container_get_format(container), format);
    check_all(container, expected_path);
    pix_container_free(container);
}

static void test_files(void **state)
{
    GDir *listing = g_dir_open(folder, 0, NULL);
    const char *name;
    guint n = 0;
    assert_non_null(listing);
    while ((name = g_dir_read_name(listing))) {
        const char *dot = strrchr(name, '.');
        if (strcmp(dot, ".pth") != 0 && strcmp(dot, ".pict") != 0)
            continue;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *expected =
            g_strdup_printf("%.*s.expected.safetensors", (int)(dot - name), name);
        g_autofree char *expected_path = g_build_filename(folder, expected, NULL);
        check_file(path, expected_path);
        n++;
    }
    g_dir_close(listing);
    assert_int_equal(n, 26);
}

static void check_format(const char *name, const char *format)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    PixContainer *container = pix_container_open(path, NULL);
    assert_non_null(container);
    assert_string_equal(pix_container_get_format(container), format);
    assert_string_equal(pix_container_get_label(container), path);
    pix_container_free(container);
}

static void test_formats(void **state)
{
    check_format("plain-zip.pth", "pytorch-zip");
    check_format("plain-legacy.pth", "pytorch-legacy");
    check_format("affinelayer.pict", "pict");
    check_format("plain-zip.expected.safetensors", "safetensors");
}

/* The order of the file is kept, and groups say where a tensor was. */
static void test_groups(void **state)
{
    g_autofree char *path = g_build_filename(folder, "nested-zip.pth", NULL);
    PixContainer *container = pix_container_open(path, NULL);
    assert_non_null(container);
    assert_string_equal(pix_container_get_entry(container, 0)->name, "conv.weight");
    assert_string_equal(pix_container_get_entry(container, 1)->name, "conv.bias");
    assert_non_null(pix_container_find(container, "state_dict", "norm.running_var"));
    assert_non_null(pix_container_find(container, "optimizer/state/0", "exp_avg"));
    assert_non_null(pix_container_find(container, "losses", "0"));
    assert_non_null(pix_container_find(container, "losses/1", "0"));
    assert_null(pix_container_find(container, "", "norm.running_var"));
    assert_int_equal(g_hash_table_size(pix_container_get_metadata(container)), 0);
    pix_container_free(container);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_groups),
    };
    folder = argc > 1 ? argv[1] : "containers";
    return cmocka_run_group_tests_name("containers", tests, NULL, NULL);
}
