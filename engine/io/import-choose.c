/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "error.h"
#include "import-match.h"

#define MAX_LISTED 32
#define KNOWN_NETWORKS                                                                             \
    "the U-Net and ResNet generators and the PatchGAN and PixelGAN discriminators of "             \
    "pytorch-CycleGAN-and-pix2pix and MMGeneration, the two networks of cryer/pix2pix and the "    \
    "generator of pix2pix-tensorflow"

static bool is_generator(const PixKeySet *set)
{
    PixLayout layout;
    PixArch arch = {0};
    return pix_recognise(set, &layout, &arch.kind) && pix_arch_is_generator(&arch);
}

/** Returns: (transfer full): "horse, zebra, discriminators.horse". */
static char *list_labels(GPtrArray *sets)
{
    GString *list = g_string_new(NULL);
    for (guint i = 0; i < sets->len && i < MAX_LISTED; i++) {
        const PixKeySet *set = g_ptr_array_index(sets, i);
        g_autofree char *label = g_strescape(set->label, NULL);
        g_string_append_printf(list, "%s%s", i ? ", " : "", *label ? label : "(top level)");
    }
    if (sets->len > MAX_LISTED)
        g_string_append_printf(list, " and %u more", sets->len - MAX_LISTED);
    return g_string_free(list, FALSE);
}

/** An error that says what most of the things are that are there instead, and where the first is. */
static void fail_empty(const PixContainer *container, GError **error)
{
    g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
    const char *most = "";
    guint n_most = 0, first = 0;
    for (guint i = 0; i < pix_container_get_n_others(container); i++) {
        const char *what = pix_container_get_other(container, i)->what;
        guint n = GPOINTER_TO_UINT(g_hash_table_lookup(counts, what)) + 1;
        g_hash_table_insert(counts, (gpointer)what, GUINT_TO_POINTER(n));
        if (n > n_most && strcmp(what, "a dict")) {
            n_most = n;
            most = what;
        }
    }
    if (!n_most) {
        pix_fail(error, PIX_ERROR_BAD_CHECKPOINT, "holds no tensors at all");
        return;
    }
    while (strcmp(pix_container_get_other(container, first)->what, most))
        first++;
    const PixOther *other = pix_container_get_other(container, first);
    pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
             "holds no tensors at all; what it holds most (%u) is %s, such as '%s%s%s'", n_most,
             most, other->group, *other->group ? "/" : "", other->name);
}

/** An error that shows what is there instead. */
static void fail_unknown(GPtrArray *sets, GError **error)
{
    GString *shown = g_string_new(NULL);
    guint n = 0;
    for (guint i = 0; i < sets->len; i++) {
        const PixKeySet *set = g_ptr_array_index(sets, i);
        for (guint j = 0; j < set->keys->len; j++, n++) {
            const PixKey *key = g_ptr_array_index(set->keys, j);
            if (n >= 3)
                continue;
            g_autofree char *name = g_strescape(key->entry->name, NULL);
            g_autofree char *text = pix_entry_text(key->entry);
            g_string_append_printf(shown, "%s%s %s", n ? ", " : "", name, text);
        }
    }
    pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
             "is not a network that is known here, which are " KNOWN_NETWORKS
             "; it has %u tensor%s, "
             "starting with %s",
             n, n == 1 ? "" : "s", shown->str);
    g_string_free(shown, TRUE);
}

static const PixKeySet *choose_by_name(GPtrArray *known, const char *domain, GError **error)
{
    const PixKeySet *answer = NULL;
    guint n_answers = 0;
    for (guint i = 0; i < known->len; i++) {
        const PixKeySet *set = g_ptr_array_index(known, i);
        if (*set->label && !strcmp(set->label, domain))
            return set;
        if (*set->label && pix_key_set_answers(set, domain)) {
            answer = set;
            n_answers++;
        }
    }
    if (n_answers == 1)
        return answer;
    g_autofree char *list = list_labels(known);
    g_autofree char *asked = g_strescape(domain, NULL);
    if (known->len == 1 && !*((const PixKeySet *)g_ptr_array_index(known, 0))->label)
        pix_fail(error, PIX_ERROR_NOT_FOUND, "has one network and no domains: leave out \"%s\"",
                 asked);
    else
        pix_fail(error, PIX_ERROR_NOT_FOUND, "%s \"%s\"; it has: %s",
                 n_answers ? "more than one of its networks may be the domain" : "has no domain",
                 asked, list);
    return NULL;
}

/** The one that stands where a file with a single network has it: at the top or in state_dict. */
static const PixKeySet *usual_place(GPtrArray *known)
{
    static const char *const places[] = {"", "state_dict"};
    for (size_t p = 0; p < G_N_ELEMENTS(places); p++) {
        for (guint i = 0; i < known->len; i++) {
            const PixKeySet *set = g_ptr_array_index(known, i);
            if (!*set->prefix && !strcmp(set->group, places[p]))
                return set;
        }
    }
    return NULL;
}

const PixKeySet *pix_import_choose(const PixContainer *container, GPtrArray *sets,
                                   const char *domain, GError **error)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    g_autoptr(GPtrArray) generators = g_ptr_array_new();
    for (guint i = 0; i < sets->len; i++) {
        PixKeySet *set = g_ptr_array_index(sets, i);
        PixLayout layout;
        PixArchKind kind;
        if (!pix_recognise(set, &layout, &kind))
            continue;
        g_ptr_array_add(known, set);
        if (is_generator(set))
            g_ptr_array_add(generators, set);
    }
    if (!known->len) {
        if (sets->len)
            fail_unknown(sets, error);
        else
            fail_empty(container, error);
        return NULL;
    }
    if (domain)
        return choose_by_name(known, domain, error);
    GPtrArray *candidates = generators->len ? generators : known;
    const PixKeySet *set = usual_place(candidates);
    if (set)
        return set;
    if (candidates->len == 1)
        return g_ptr_array_index(candidates, 0);
    g_autofree char *list = list_labels(candidates);
    pix_fail(error, PIX_ERROR_UNSUPPORTED, "holds %u networks: choose one as the domain: %s",
             candidates->len, list);
    return NULL;
}
