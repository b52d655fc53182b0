/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu-pools.h"

#include <glib.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* Whose threads a pool has: those of a parent process are not there after a fork, and new ones run where
 * the thread may that starts them. */
typedef struct {
    int threads;
    pid_t process;
#ifdef __linux__
    cpu_set_t processors;
#endif
} Owner;

typedef struct {
    Owner owner;
    CpuPool *pool;
    int users;
} Shared;

static GMutex lock;
static GList *all; /* of Shared */

static Owner owner_of(int threads)
{
    Owner owner;
    memset(&owner, 0, sizeof owner); /* compared as bytes */
    owner.threads = threads;
    owner.process = getpid();
#ifdef __linux__
    sched_getaffinity(0, sizeof owner.processors, &owner.processors);
#endif
    return owner;
}

static Shared *find(const Owner *owner)
{
    for (GList *link = all; link; link = link->next) {
        Shared *shared = link->data;
        bool whole = cpu_pool_threads(shared->pool) == owner->threads;
        if (whole && memcmp(&shared->owner, owner, sizeof *owner) == 0)
            return shared;
    }
    return NULL;
}

CpuPool *cpu_pools_get(int threads)
{
    Owner owner = owner_of(threads);
    g_mutex_lock(&lock);
    Shared *shared = find(&owner);
    if (!shared) {
        shared = g_new0(Shared, 1);
        shared->owner = owner;
        shared->pool = cpu_pool_new(threads);
        all = g_list_prepend(all, shared);
    }
    shared->users++;
    g_mutex_unlock(&lock);
    return shared->pool;
}

/* Takes the pool out of the list where nobody else uses it. Returns: whether it is to be freed. */
static bool leave(CpuPool *pool)
{
    for (GList *link = all; link; link = link->next) {
        Shared *shared = link->data;
        if (shared->pool != pool)
            continue;
        bool last = --shared->users == 0, ours = shared->owner.process == getpid();
        if (last) {
            all = g_list_delete_link(all, link);
            g_free(shared);
        }
        return last && ours; /* a parent's threads cannot be waited for */
    }
    return false;
}

void cpu_pools_release(CpuPool *pool)
{
    g_mutex_lock(&lock);
    bool last = leave(pool);
    g_mutex_unlock(&lock);
    if (last)
        cpu_pool_free(pool);
}
