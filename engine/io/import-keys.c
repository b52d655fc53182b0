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
    g_hash_table_unref(set->others);
    g_ptr_array_unref(set->keys);
    g_free(set);
}

static bool has_number_after(const char *word, const char *start)
{
    size_t n = strlen(start);
    return g_str_has_prefix(word, start) && word[n] &&
           strspn(word + n, "0123456789") == strlen(word + n);
}

static bool is_number(const char *word)
{
    return word && has_number_after(word, "");
}

/** Whether @words, NULL-terminated, are a network's own key, blocks of a U-Net aside. */
static bool is_own_key(char **words)
{
    if (!strcmp(words[0], "model"))
        return is_number(words[1]);
    if (!strcmp(words[0], "net") || !strcmp(words[0], "final"))
        return is_number(words[1]) && g_strv_length(words) == 3;
    return (has_number_after(words[0], "downsample") || has_number_after(words[0], "upsample")) &&
           !g_strcmp0(words[1], "model");
}

/** How many of @words stand before the network's own key; 0 if there is none in it. */
static guint count_prefix(char **words)
{
    guint n = g_strv_length(words);
    if (n > 3 && (!strcmp(words[0], "generators") || !strcmp(words[0], "discriminators")))
        return 2;
    for (guint i = 0; i < n; i++)
        if (is_own_key(words + i))
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

static char *place_of(const char *group, const char *prefix)
{
    return g_strdup_printf("%s\n%s", group, prefix);
}

static PixKeySet *set_for(GPtrArray *sets, GHashTable *by_place, const char *group,
                          const char *prefix)
{
    g_autofree char *place = place_of(group, prefix);
    PixKeySet *set = g_hash_table_lookup(by_place, place);
    if (set)
        return set;
    set = g_new0(PixKeySet, 1);
    set->group = g_strdup(group);
    set->prefix = g_strdup(prefix);
    set->label = label_of(group, prefix);
    set->keys = g_ptr_array_new_with_free_func(free_key);
    set->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    set->others = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
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

/** A name in pieces. */
typedef struct {
    char **words; /* without wrappers */
    guint n;      /* how many stand before the network's own key */
} Split;

static Split split(const char *name)
{
    Split s = {.words = g_strsplit(name, ".", -1)};
    drop_wrappers(s.words);
    s.n = count_prefix(s.words);
    return s;
}

/**
 * The outermost block of a U-Net is itself a "model" of the network, so that "model.0" is
 * "model.model.0" there. That it is one shows in the keys of its inner blocks.
 * Returns: (transfer full): the places whose networks are so: as a set.
 */
static GHashTable *find_nested(const PixContainer *container)
{
    GHashTable *nested = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < pix_container_get_n_entries(container); i++) {
        const PixEntry *entry = pix_container_get_entry(container, i);
        Split s = split(entry->name);
        bool inner = s.n && !strcmp(s.words[s.n - 1], "model") &&
                     g_strv_length(s.words) > s.n + 3 && !strcmp(s.words[s.n], "model") &&
                     !strcmp(s.words[s.n + 2], "model");
        if (inner) {
            g_autofree char *prefix = join(s.words, s.n);
            g_hash_table_add(nested, place_of(entry->group, prefix));
        }
        g_strfreev(s.words);
    }
    return nested;
}

/** @prefix: (out) (transfer full).  Returns: (transfer full): the rest of @name. */
static char *take_apart(const char *group, const char *name, GHashTable *nested, char **prefix)
{
    Split s = split(name);
    *prefix = join(s.words, s.n);
    g_autofree char *place = place_of(group, *prefix);
    if (s.n && g_hash_table_contains(nested, place)) {
        g_free(*prefix);
        *prefix = join(s.words, --s.n);
    }
    char *own = join(s.words + s.n, G_MAXUINT);
    g_strfreev(s.words);
    return own;
}

/** What stands in the place of tensors, where there are some. */
static void collect_others(const PixContainer *container, GHashTable *by_place, GHashTable *nested)
{
    for (guint i = 0; i < pix_container_get_n_others(container); i++) {
        const PixOther *other = pix_container_get_other(container, i);
        g_autofree char *prefix = NULL;
        g_autofree char *own = take_apart(other->group, other->name, nested, &prefix);
        g_autofree char *place = place_of(other->group, prefix);
        PixKeySet *set = g_hash_table_lookup(by_place, place);
        if (set)
            g_hash_table_insert(set->others, g_steal_pointer(&own), (gpointer)other);
    }
}

GPtrArray *pix_key_sets_new(const PixContainer *container)
{
    GPtrArray *sets = g_ptr_array_new_with_free_func(free_set);
    g_autoptr(GHashTable) by_place = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) nested = find_nested(container);
    for (guint i = 0; i < pix_container_get_n_entries(container); i++) {
        const PixEntry *entry = pix_container_get_entry(container, i);
        g_autofree char *prefix = NULL;
        char *own = take_apart(entry->group, entry->name, nested, &prefix);
        add_key(set_for(sets, by_place, entry->group, prefix), own, entry);
    }
    collect_others(container, by_place, nested);
    return sets;
}

GPtrArray *pix_key_sets_new_plain(const PixContainer *container)
{
    GPtrArray *sets = g_ptr_array_new_with_free_func(free_set);
    g_autoptr(GHashTable) by_place = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < pix_container_get_n_entries(container); i++) {
        const PixEntry *entry = pix_container_get_entry(container, i);
        add_key(set_for(sets, by_place, entry->group, ""), g_strdup(entry->name), entry);
    }
    return sets;
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
    const char *last = strrchr(set->label, '/'), *word = strrchr(set->prefix, '.');
    return !strcmp(domain, set->label) || !strcmp(domain, set->prefix) ||
           !strcmp(domain, set->group) || (last && !strcmp(domain, last + 1)) ||
           (word && !strcmp(domain, word + 1));
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
