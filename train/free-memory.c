/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "free-memory.h"

#include <string.h>

/* The number behind @key in @file, times @unit; %G_MAXUINT64 where there is none, or "max". */
static guint64 read_number(const char *file, const char *key, guint64 unit)
{
    g_autofree char *text = NULL;
    char *end, *at;

    if (!g_file_get_contents(file, &text, NULL, NULL) || !(at = strstr(text, key)))
        return G_MAXUINT64;
    at += strlen(key);
    guint64 number = g_ascii_strtoull(at, &end, 10);
    return end == at ? G_MAXUINT64 : number * unit;
}

guint64 free_memory(void)
{
    guint64 machine = read_number("/proc/meminfo", "MemAvailable:", 1024);
    guint64 limit = read_number("/sys/fs/cgroup/memory.max", "", 1);
    guint64 used = read_number("/sys/fs/cgroup/memory.current", "", 1);
    /* Pages of files are used, too, and given back when they are needed. */
    guint64 cache = read_number("/sys/fs/cgroup/memory.stat", "\nfile ", 1);

    if (limit == G_MAXUINT64 || used == G_MAXUINT64)
        return machine;
    used -= cache == G_MAXUINT64 ? 0 : MIN(cache, used);
    return MIN(machine, limit - MIN(limit, used));
}
