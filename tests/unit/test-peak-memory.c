/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a measurement may take of memory, by files as Linux has them, in a folder of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "cpu-peak-memory.h"

#define MB 1000000ull

/* A folder of the system's files; NULL ends the list of their paths and texts. */
static char *root_of(const char *const *files)
{
    char *root = g_dir_make_tmp("pix2pix-peak-XXXXXX", NULL);
    assert_non_null(root);
    for (; *files; files += 2) {
        g_autofree char *path = g_strconcat(root, files[0], NULL);
        g_autofree char *folder = g_path_get_dirname(path);
        assert_int_equal(g_mkdir_with_parents(folder, 0700), 0);
        assert_true(g_file_set_contents(path, files[1], -1, NULL));
    }
    return root;
}

static void remove_tree(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *inside = g_build_filename(path, name, NULL);
        remove_tree(inside);
    }
    if (dir)
        g_dir_close(dir);
    g_remove(path);
}

static void expect(const char *const *files, guint64 bytes)
{
    g_autofree char *root = root_of(files);
    guint64 found = cpu_spare_bytes(root);
    remove_tree(root);
    assert_int_equal(found, bytes);
}

#define FREE "/proc/meminfo", "MemTotal: 9 kB\nMemAvailable:    1000000 kB\n"
#define OF "/proc/self/cgroup"
#define TOP "/sys/fs/cgroup/"
#define OLD TOP "memory/"

static void test_machine(void **state)
{
    const char *const all[] = {FREE, NULL};
    expect(all, 256 * MB);
    const char *const unlimited[] = {FREE, OF, "0::/\n", TOP "memory.max", "max\n", NULL};
    expect(unlimited, 256 * MB);
    const char *const none[] = {NULL};
    expect(none, G_MAXUINT64 / 1024 * 1024 / 4);
}

/* The limit of the group itself, or of one around it, less what is used. */
static void test_group(void **state)
{
    const char *const own[] = {FREE,
                               OF,
                               "1:name=x:/y\n0::/user/shell\n",
                               TOP "user/shell/memory.max",
                               "512000000\n",
                               TOP "user/shell/memory.current",
                               "472000000\n",
                               NULL};
    expect(own, 10 * MB);
    const char *const around[] = {FREE,          OF,  "0::/user/shell\n", TOP "user/memory.max",
                                  "400000000\n", NULL};
    expect(around, 100 * MB);
    const char *const hidden[] = {FREE,          OF,  "0::/not/seen\n", TOP "memory.max",
                                  "400000000\n", NULL};
    expect(hidden, 100 * MB);
}

static void test_cached_files(void **state)
{
    const char *const files[] = {FREE,
                                 OF,
                                 "0::/\n",
                                 TOP "memory.max",
                                 "512000000\n",
                                 TOP "memory.current",
                                 "512000000\n",
                                 TOP "memory.stat",
                                 "anon 1\ninactive_file 400000000\n",
                                 NULL};
    expect(files, 100 * MB);
}

static void test_full(void **state)
{
    const char *const files[] = {
        FREE, OF, "0::/\n", TOP "memory.max", "5\n", TOP "memory.current", "6\n", NULL};
    expect(files, 0);
}

static void test_first_version(void **state)
{
    const char *const files[] = {FREE,
                                 OF,
                                 "4:memory:/a\n0::/\n",
                                 OLD "memory.limit_in_bytes",
                                 "9223372036854771712\n",
                                 OLD "a/memory.limit_in_bytes",
                                 "512000000\n",
                                 OLD "a/memory.usage_in_bytes",
                                 "112000000\n",
                                 NULL};
    expect(files, 100 * MB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_machine),       cmocka_unit_test(test_group),
        cmocka_unit_test(test_cached_files),  cmocka_unit_test(test_full),
        cmocka_unit_test(test_first_version),
    };
    return cmocka_run_group_tests_name("peak-memory", tests, NULL, NULL);
}
