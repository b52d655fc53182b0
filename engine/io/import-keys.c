/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "import-keys.h"

#include <string.h>

static void free_key(gpointer data)
{
    PixKey *key = data;
    g_free(key->name);
    g_free(key);
}

static void free_set(gpointer data)
{
    PixKeySet *set = data;
    g_free(set->group);
    g_free(set->prefix);
    g_free(set->label);
    g_hash_table_unref(set->by_name);
    g_ptr_array_unref(set->keys);
    g_free(set);
}

static bool has_number_after(const char *word, const char *start)
{
    size_t n = strlen(start);
    return g_str_has_prefix(word, start) && word[n] &&
           strspn(word + n, "0123456789") == strlen(word + n);
}

/** Whether a network's own key can start with @word. */
static bool is_root(const char *word)
{
    return !strcmp(word, "model") || !strcmp(word, "net") || !strcmp(word, "final") ||
           has_number_after(word, "downsample") || has_number_after(word, "upsample");
}

/** How many of @words stand before the network's own key; 0 if there is none in it. */
static guint count_prefix(char **words)
{
    guint n = g_strv_length(words);
    if (n > 3 && (!strcmp(words[0], "generators") || !strcmp(words[0], "discriminators")))
        return 2;
    for (guint i = 0; i < n; i++)
        if (is_root(words[i]))
            return i;
    return 0;
}

static char *join(char **words, guint n)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < n && words[i]; i++)
        g_string_append_printf(text, "%s%s", i ? "." : "", words[i]);
    return g_string_free(text, FALSE);
}

/** What data-parallel and compiled modules put into the names of what they wrap. */
static void drop_wrappers(char **words)
{
    guint kept = 0;
    for (guint i = 0; words[i]; i++) {
        if (!strcmp(words[i], "module") || !strcmp(words[i], "_orig_mod"))
            g_free(words[i]);
        else
            words[kept++] = words[i];
    }
    words[kept] = NULL;
}

static char *label_of(const char *group, const char *prefix)
{
    if (g_str_has_prefix(prefix, "generators."))
        return g_strdup(prefix + strlen("generators."));
    if (g_str_has_prefix(prefix, "discriminators."))
        return g_strdup(prefix);
    return g_strdup_printf("%s%s%s", group, *group && *prefix ? "/" : "", prefix);
}

static PixKeySet *set_for(GPtrArray *sets, GHashTable *by_place, const char *group,
                          const char *prefix)
{
    g_autofree char *place = g_strdup_printf("%s\n%s", group, prefix);
    PixKeySet *set = g_hash_table_lookup(by_place, place);
    if (set)
        return set;
    set = g_new0(PixKeySet, 1);
    set->group = g_strdup(group);
    set->prefix = g_strdup(prefix);
    set->label = label_of(group, prefix);
    set->keys = g_ptr_array_new_with_free_func(free_key);
    set->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    g_ptr_array_add(sets, set);
    g_hash_table_insert(by_place, g_steal_pointer(&place), set);
    return set;
}

/** @name: (transfer full) */
static void add_key(PixKeySet *set, char *name, const PixEntry *entry)
{
    PixKey *key = g_new0(PixKey, 1);
    key->name = name;
    key->entry = entry;
    g_ptr_array_add(set->keys, key);
    if (!g_hash_table_contains(set->by_name, name))
        g_hash_table_insert(set->by_name, key->name, key);
}

static GPtrArray *collect(const PixContainer *container, bool plain)
{
    GPtrArray *sets = g_ptr_array_new_with_free_func(free_set);
    g_autoptr(GHashTable) by_place = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < pix_container_get_n_entries(container); i++) {
        const PixEntry *entry = pix_container_get_entry(container, i);
        if (plain) {
            add_key(set_for(sets, by_place, entry->group, ""), g_strdup(entry->name), entry);
            continue;
        }
        g_auto(GStrv) words = g_strsplit(entry->name, ".", -1);
        drop_wrappers(words);
        guint n = count_prefix(words);
        g_autofree char *prefix = join(words, n);
        add_key(set_for(sets, by_place, entry->group, prefix), join(words + n, G_MAXUINT), entry);
    }
    return sets;
}

GPtrArray *pix_key_sets_new(const PixContainer *container)
{
    return collect(container, false);
}

GPtrArray *pix_key_sets_new_plain(const PixContainer *container)
{
    return collect(container, true);
}

const PixEntry *pix_key_set_find(const PixKeySet *set, const char *name)
{
    const PixKey *key = g_hash_table_lookup(set->by_name, name);
    return key ? key->entry : NULL;
}

const PixEntry *pix_key_set_find_rank(const PixKeySet *set, const char *name, int rank)
{
    const PixEntry *entry = pix_key_set_find(set, name);
    return entry && entry->rank == rank ? entry : NULL;
}

bool pix_key_set_answers(const PixKeySet *set, const char *domain)
{
    const char *last = strrchr(set->label, '/');
    return !strcmp(domain, set->label) || !strcmp(domain, set->prefix) ||
           !strcmp(domain, set->group) || (last && !strcmp(domain, last + 1));
}

char *pix_entry_text(const PixEntry *entry)
{
    GString *text = g_string_new(pix_dtype_name(entry->dtype));
    g_string_append(text, " [");
    for (int i = 0; i < entry->rank; i++)
        g_string_append_printf(text, "%s%" G_GUINT64_FORMAT, i ? ", " : "", entry->dims[i]);
    g_string_append_c(text, ']');
    return g_string_free(text, FALSE);
}
