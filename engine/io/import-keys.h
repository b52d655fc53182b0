/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The tensors of a file, sorted into the networks that they may belong to: by nested dict, and
 * inside one by what stands before the network's own key ("generators.horse.", "netG."). A network's
 * own keys start with "model.N.", with "model.model.N." where blocks are nested in it, or with one of
 * a few other words; what stands before them is whatever its users made it part of.
 */
#ifndef PIX_IMPORT_KEYS_H
#define PIX_IMPORT_KEYS_H

#include "container.h"

/** PixKey: one tensor, under its name without wrappers ("module", "_orig_mod") and prefix. */
typedef struct {
    char *name;
    const PixEntry *entry;
} PixKey;

/** PixKeySet: the tensors that stand together. */
typedef struct {
    char *group;     /* of the container */
    char *prefix;    /* "generators.horse", "netG"; mostly "" */
    char *label;     /* how a person names it: "horse", "state_dict/netG"; "" for a plain file */
    GPtrArray *keys; /* of PixKey, in the file's order */
    GHashTable *by_name; /* PixKey.name -> the first PixKey that has it */
    GHashTable *others;  /* the same kind of name -> PixOther: what is no tensor */
} PixKeySet;

/** pix_key_sets_new: Returns: (transfer full): of PixKeySet, in the file's order. */
GPtrArray *pix_key_sets_new(const PixContainer *container);

/** pix_key_sets_new_plain: All tensors of the file as one set, under their own names. */
GPtrArray *pix_key_sets_new_plain(const PixContainer *container);

/** pix_key_set_find: Returns: (nullable): the tensor of that name. */
const PixEntry *pix_key_set_find(const PixKeySet *set, const char *name);

/** pix_key_set_find_rank: The same, if it has @rank dimensions. */
const PixEntry *pix_key_set_find_rank(const PixKeySet *set, const char *name, int rank);

/** pix_key_set_answers: Whether a person who asks for @domain may mean this set. */
bool pix_key_set_answers(const PixKeySet *set, const char *domain);

/** pix_entry_text: Returns: (transfer full): "F32 [64, 3, 4, 4]". */
char *pix_entry_text(const PixEntry *entry);

#endif
