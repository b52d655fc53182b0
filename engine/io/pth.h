/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What the two containers of PyTorch share: the walk through the pickled object for its tensors,
 * and reading one of them.
 */
#ifndef PIX_PTH_H
#define PIX_PTH_H

#include "container-private.h"
#include "torch-pickle.h"

typedef struct Pth Pth;

/** PthLoad: Gives @n bytes from @offset on of @storage; the range is inside it. */
typedef bool (*PthLoad)(PixContainer *container, TorchStorage *storage, guint64 offset, guint64 n,
                        void *target, GError **error);

/** Pth: the state of either container; the container's own follows it. */
struct Pth {
    PthLoad load;
    GHashTable *storages; /* key -> TorchStorage */
    GArray *tensors;      /* TorchTensor, one for each entry */
};

void pth_init(Pth *pth, PthLoad load);
void pth_clear(Pth *pth);

/**
 * pth_add_entries:
 * Adds every tensor that dicts and lists lead to from @root, each under the keys on the way. What
 * else has a name is remembered by what it is.
 * Errors: BAD_CHECKPOINT; UNSUPPORTED where @root is no dict or list.
 */
bool pth_add_entries(PixContainer *container, Pth *pth, const PickleValue *root, GError **error);

/** pth_read: PixFormat.read of both. */
bool pth_read(PixContainer *container, guint index, void *elements, GError **error);

#endif
