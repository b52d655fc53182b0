/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cache-file.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include <glib/gstdio.h>

#define DIGEST 32         /* bytes of SHA-256 */
#define HEAD (2 * DIGEST) /* of the identity, and of what follows */
#define MOST_BYTES ((gsize)256 << 20)

static void digest(const void *data, gsize bytes, guint8 out[DIGEST])
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize length = DIGEST;
    g_checksum_update(checksum, data, (gssize)bytes);
    g_checksum_get_digest(checksum, out, &length);
}

static char *file_name(const char *kind, const guint8 key[DIGEST])
{
    const char *folder = g_getenv("PIX2PIX_CACHE_DIR");
    g_autoptr(GString) name = g_string_new(kind);
    g_string_append_c(name, '-');
    for (int i = 0; i < 8; i++)
        g_string_append_printf(name, "%02x", key[i]);
    if (folder && *folder)
        return g_build_filename(folder, name->str, NULL);
    return g_build_filename(g_get_user_cache_dir(), "pix2pix", name->str, NULL);
}

/* Whether the file's @bytes are of @key and whole. */
static bool is_good(const char *data, gsize bytes, const guint8 key[DIGEST])
{
    guint8 found[DIGEST];
    if (bytes < HEAD || bytes > MOST_BYTES || memcmp(data, key, DIGEST) != 0)
        return false;
    digest(data + HEAD, bytes - HEAD, found);
    return memcmp(data + DIGEST, found, DIGEST) == 0;
}

/* Whatever else has that name, a pipe that nobody writes to say, is not waited for. */
static char *read_file(const char *file, gsize *bytes)
{
    GStatBuf about;
    char *data = NULL;
    if (g_stat(file, &about) == 0 && S_ISREG(about.st_mode) && about.st_size <= (goffset)MOST_BYTES)
        g_file_get_contents(file, &data, bytes, NULL);
    return data;
}

char *pix_cache_read(const char *kind, const char *identity, gsize *bytes)
{
    guint8 key[DIGEST];
    gsize length = 0;
    digest(identity, strlen(identity), key);
    g_autofree char *file = file_name(kind, key), *data = read_file(file, &length);
    if (!data || !is_good(data, length, key))
        return NULL;
    *bytes = length - HEAD;
    memmove(data, data + HEAD, *bytes);
    return g_steal_pointer(&data);
}

static bool is_kept(const char *file, const char *data, gsize bytes)
{
    gsize old_bytes = 0;
    g_autofree char *old = read_file(file, &old_bytes);
    return old && old_bytes == bytes && memcmp(old, data, bytes) == 0;
}

void pix_cache_write(const char *kind, const char *identity, const void *data, gsize bytes)
{
    guint8 key[DIGEST];
    g_autofree char *whole = bytes <= MOST_BYTES - HEAD ? g_try_malloc(HEAD + bytes) : NULL;
    if (!whole)
        return;
    digest(identity, strlen(identity), key);
    memcpy(whole, key, DIGEST);
    digest(data, bytes, (guint8 *)whole + DIGEST);
    memcpy(whole + HEAD, data, bytes);
    g_autofree char *file = file_name(kind, key), *folder = g_path_get_dirname(file);
    if (!is_kept(file, whole, HEAD + bytes) && g_mkdir_with_parents(folder, 0700) == 0)
        g_file_set_contents(file, whole, (gssize)(HEAD + bytes), NULL); /* whole or not at all */
}
