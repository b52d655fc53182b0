/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu-peak-memory.h"

#include <string.h>

/* @otherwise: there is no such file, or @before is in it without a number. */
static guint64 number_in(const char *folder, const char *file, const char *before,
                         guint64 otherwise)
{
    g_autofree char *path = g_build_filename(folder, file, NULL), *text = NULL;
    const char *at = g_file_get_contents(path, &text, NULL, NULL) ? strstr(text, before) : NULL;
    guint64 number = at ? g_ascii_strtoull(at + strlen(before), NULL, 10) : 0;
    return number > 0 ? number : otherwise;
}

/* Of a group. What it holds of files that nobody has read for long makes room by itself. */
static guint64 left_in(const char *folder, const char *limit, const char *used)
{
    guint64 most = number_in(folder, limit, "", G_MAXUINT64);
    guint64 taken = number_in(folder, used, "", 0);
    taken -= MIN(taken, number_in(folder, "memory.stat", "inactive_file ", 0));
    return most == G_MAXUINT64 ? most : most - MIN(most, taken);
}

/*
 * The least that is left to the process's group and to those around it. @before: what stands before the
 * group's path in /proc/self/cgroup.
 */
static guint64 left_to_groups(const char *root, const char *mount, const char *before,
                              const char *limit, const char *used)
{
    g_autofree char *list = g_strconcat(root, "/proc/self/cgroup", NULL), *text = NULL;
    const char *at = g_file_get_contents(list, &text, NULL, NULL) ? strstr(text, before) : NULL;
    at = at ? at + strlen(before) : "";
    g_autofree char *group = g_strndup(at, strcspn(at, "\n"));
    guint64 least = G_MAXUINT64;
    for (char *end = group; end;) {
        g_autofree char *folder = g_strconcat(root, mount, group, NULL);
        least = MIN(least, left_in(folder, limit, used));
        end = strrchr(group, '/');
        if (end)
            *end = '\0';
    }
    return least;
}

guint64 cpu_spare_bytes(const char *root)
{
    g_autofree char *proc = g_strconcat(root, "/proc", NULL);
    guint64 bytes = number_in(proc, "meminfo", "MemAvailable:", G_MAXUINT64 / 1024) * 1024;
    bytes =
        MIN(bytes, left_to_groups(root, "/sys/fs/cgroup", "0::", "memory.max", "memory.current"));
    bytes =
        MIN(bytes, left_to_groups(root, "/sys/fs/cgroup/memory",
                                  ":memory:", "memory.limit_in_bytes", "memory.usage_in_bytes"));
    return bytes / 4;
}
