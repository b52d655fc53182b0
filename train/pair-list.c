/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "pair-list.h"

#include "image-list.h"

#include <dirent.h>
#include <errno.h>
#include <pix2pix/pix.h>
#include <string.h>

#define NAMED 3 /* so many are named, the others counted */

static void pair_free(Pair *pair)
{
    g_free(pair->name);
    g_free(pair->a);
    g_free(pair->b);
    g_free(pair);
}

static char *get_stem(const char *file)
{
    char *stem = g_path_get_basename(file);

    *strrchr(stem, '.') = 0; /* picture_list() gives none without an ending */
    return stem;
}

static Pair *pair_new(const char *a, const char *b)
{
    Pair *pair = g_new0(Pair, 1);

    pair->name = get_stem(a);
    pair->a = g_strdup(a);
    pair->b = g_strdup(b);
    return pair;
}

char *pair_list_join_some(const GPtrArray *texts, const char *separator, guint most)
{
    GString *joined = g_string_new(NULL);

    for (guint i = 0; i < MIN(texts->len, most); i++)
        g_string_append_printf(joined, "%s%s", i ? separator : "", (char *)texts->pdata[i]);
    if (texts->len > most)
        g_string_append_printf(joined, " and %u more", texts->len - most);
    return g_string_free(joined, FALSE);
}

char *pair_list_join(const GPtrArray *texts, const char *separator)
{
    return pair_list_join_some(texts, separator, NAMED);
}

/* ---- side by side ---- */

static int compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Returns: (transfer full): what is in @folder, for a sentence. */
static char *describe(const char *folder)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir)))
        g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_texts);
    g_autofree char *joined = pair_list_join(names, ", ");
    return g_strdup_printf("it holds %s", names->len ? joined : "nothing");
}

static gboolean has_folders(const char *folder, const char *prefix)
{
    g_autofree char *a = g_strdup_printf("%s/%sA", folder, prefix);
    g_autofree char *b = g_strdup_printf("%s/%sB", folder, prefix);

    return g_file_test(a, G_FILE_TEST_IS_DIR) && g_file_test(b, G_FILE_TEST_IS_DIR);
}

static const char *advise(const char *folder, const char *phase)
{
    if (has_folders(folder, phase))
        return "this is an unpaired data set, and pix2pix needs pairs";
    if (has_folders(folder, ""))
        return "give its A and B as two folders";
    return "name another folder";
}

/* Says that there is no @phase in @root, and what is there. */
static void set_missing_error(const char *root, const char *phase, GError **error)
{
    DIR *dir = opendir(root);

    if (!dir) {
        g_set_error(error, PIX_ERROR, errno == ENOENT ? PIX_ERROR_NOT_FOUND : PIX_ERROR_IO,
                    "%s: cannot be listed (%s), name a folder that holds a folder %s", root,
                    g_strerror(errno), phase);
        return;
    }
    closedir(dir);
    g_autofree char *contents = describe(root);
    g_set_error(error, PIX_ERROR, PIX_ERROR_NOT_FOUND, "%s: has no folder %s (%s), %s", root, phase,
                contents, advise(root, phase));
}

/* Returns: (transfer full): the folder of @phase, or what stands in for it, if that may be. */
static char *find_folder(const char *root, const char *phase, gboolean exact, GPtrArray *notes,
                         GError **error)
{
    const char *other = !strcmp(phase, "val") ? "test" : !strcmp(phase, "test") ? "val" : NULL;
    g_autofree char *wanted = g_build_filename(root, phase, NULL);
    g_autofree char *instead = other ? g_build_filename(root, other, NULL) : g_strdup(root);

    if (g_file_test(wanted, G_FILE_TEST_EXISTS))
        return g_steal_pointer(&wanted);
    gboolean found = other && !exact && g_file_test(instead, G_FILE_TEST_IS_DIR);
    if (!strcmp(phase, "train") && !exact) {
        g_autoptr(GPtrArray) files = picture_list(root, NULL);
        found = files != NULL;
    }
    if (!found) {
        set_missing_error(root, phase, error);
        return NULL;
    }
    g_ptr_array_add(notes, g_strdup_printf("%s: there is no such folder, %s stands in for it",
                                           wanted, instead));
    return g_steal_pointer(&instead);
}

/* Outputs have the names of pairs, and a.jpg must not be written over what a.png became. */
static void name_apart(const GPtrArray *pairs, GPtrArray *notes)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < pairs->len; i++) {
        Pair *pair = pairs->pdata[i];
        g_autofree char *stem = g_strdup(pair->name);
        for (int n = 2; g_hash_table_contains(names, pair->name); n++) {
            g_free(pair->name);
            pair->name = g_strdup_printf("%s-%d", stem, n);
        }
        g_hash_table_add(names, pair->name);
        if (strcmp(stem, pair->name))
            g_ptr_array_add(notes, g_strdup_printf("%s: there is another %s, this one is called %s",
                                                   pair->a, stem, pair->name));
    }
}

GPtrArray *pair_list_side_by_side(const char *root, const char *phase, gboolean exact,
                                  char **folder, GPtrArray *notes, GError **error)
{
    GError *broken = NULL;

    *folder = find_folder(root, phase, exact, notes, error);
    if (!*folder)
        return NULL;
    g_autoptr(GPtrArray) files = picture_list(*folder, &broken);
    if (g_error_matches(broken, PIX_ERROR, PIX_ERROR_NOT_FOUND)) {
        g_autofree char *contents = describe(*folder);
        g_clear_error(&broken);
        g_set_error(error, PIX_ERROR, PIX_ERROR_NOT_FOUND, "%s: has no pictures (%s), %s", *folder,
                    contents, advise(*folder, phase));
        return NULL;
    }
    if (!files) {
        g_propagate_error(error, broken);
        return NULL;
    }
    GPtrArray *pairs = g_ptr_array_new_with_free_func((GDestroyNotify)pair_free);
    for (guint i = 0; i < files->len; i++)
        g_ptr_array_add(pairs, pair_new(files->pdata[i], NULL));
    name_apart(pairs, notes);
    return pairs;
}

/* ---- two folders ---- */

/* Returns: (transfer full): stem to file. */
static GHashTable *index_files(const GPtrArray *files, GError **error)
{
    g_autoptr(GHashTable) index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < files->len; i++) {
        g_autofree char *stem = get_stem(files->pdata[i]);
        const char *before = g_hash_table_lookup(index, stem);
        if (before) {
            g_set_error(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED,
                        "%s and %s have the same name, remove one of them", before,
                        (char *)files->pdata[i]);
            return NULL;
        }
        g_hash_table_insert(index, g_steal_pointer(&stem), files->pdata[i]);
    }
    return g_steal_pointer(&index);
}

/* Whether all @files have partners in @index, which is that of @folder. */
static gboolean check_partners(const GPtrArray *files, GHashTable *index, const char *folder,
                               GError **error)
{
    g_autoptr(GPtrArray) alone = g_ptr_array_new();

    for (guint i = 0; i < files->len; i++) {
        g_autofree char *stem = get_stem(files->pdata[i]);
        if (!g_hash_table_contains(index, stem))
            g_ptr_array_add(alone, files->pdata[i]);
    }
    if (alone->len == 0)
        return TRUE;
    g_autofree char *names = pair_list_join(alone, ", ");
    g_set_error(error, PIX_ERROR, PIX_ERROR_NOT_FOUND,
                "%s: lacks the partners of %u of %u pictures (%s), add them or remove these",
                folder, alone->len, files->len, names);
    return FALSE;
}

GPtrArray *pair_list_two_folders(const char *a, const char *b, GError **error)
{
    g_autoptr(GPtrArray) a_files = picture_list(a, error);
    g_autoptr(GPtrArray) b_files = a_files ? picture_list(b, error) : NULL;
    g_autoptr(GHashTable) a_index = b_files ? index_files(a_files, error) : NULL;
    g_autoptr(GHashTable) b_index = a_index ? index_files(b_files, error) : NULL;

    if (!b_index || !check_partners(a_files, b_index, b, error) ||
        !check_partners(b_files, a_index, a, error))
        return NULL;
    GPtrArray *pairs = g_ptr_array_new_with_free_func((GDestroyNotify)pair_free);
    for (guint i = 0; i < a_files->len; i++) {
        g_autofree char *stem = get_stem(a_files->pdata[i]);
        g_ptr_array_add(pairs, pair_new(a_files->pdata[i], g_hash_table_lookup(b_index, stem)));
    }
    return pairs;
}
