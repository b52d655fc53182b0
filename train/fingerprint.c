/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fingerprint.h"

#include "pair-list.h"

#include <string.h>

#define NAMES_LENGTH 64 /* of a SHA-256 in hexadecimal */
#define MARK_LENGTH 4

/* 2^64 divided by the golden ratio: its product's upper bits depend on all bits of the size. */
static char *make_mark(guint64 bytes)
{
    return bytes == 0 ? g_strdup("....")
                      : g_strdup_printf(
                            "%04x", (guint)(bytes * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15) >> 48));
}

char *fingerprint_make(const Dataset *dataset)
{
    g_autoptr(GChecksum) names = g_checksum_new(G_CHECKSUM_SHA256);
    g_autoptr(GString) marks = g_string_new(NULL);

    for (guint i = 0; i < dataset_get_n(dataset); i++) {
        const char *name = dataset_get_name(dataset, i);
        g_autofree char *mark = make_mark(dataset_get_bytes(dataset, i));
        g_checksum_update(names, (const guchar *)name, strlen(name) + 1);
        g_string_append(marks, mark);
    }
    return g_strconcat(g_checksum_get_string(names), marks->str, NULL);
}

static gboolean same_mark(const char *a, const char *b)
{
    return *a == '.' || *b == '.' || !strncmp(a, b, MARK_LENGTH);
}

/* Returns: (transfer full): the pairs whose marks differ; both have all of them. */
static char *list_changes(const Dataset *dataset, const char *was, const char *is)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    guint n = dataset_get_n(dataset);

    for (guint i = 0; i < n; i++) {
        if (!same_mark(was + i * MARK_LENGTH, is + i * MARK_LENGTH))
            g_ptr_array_add(names, (char *)dataset_get_name(dataset, i));
    }
    if (names->len == 0)
        return NULL;
    g_autofree char *joined = pair_list_join(names, ", ");
    return g_strdup_printf("of the same names, but %u of %u pairs are other files by now: %s",
                           names->len, n, joined);
}

char *fingerprint_compare(const Dataset *dataset, const char *was, guint64 pairs)
{
    g_autofree char *is = fingerprint_make(dataset);
    guint n = dataset_get_n(dataset);

    if (pairs == n && strlen(was) == strlen(is) && !strncmp(was, is, NAMES_LENGTH))
        return list_changes(dataset, was + NAMES_LENGTH, is + NAMES_LENGTH);
    return g_strdup_printf("of %" G_GUINT64_FORMAT " pairs, and there are %u %s", pairs, n,
                           pairs == n ? "other ones" : "here");
}
