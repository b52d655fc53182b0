/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * GLib's locks are futexes that the thread sanitizer does not see, so that all they guard looks like
 * a race. In a program built with it, these come before GLib's functions and tell it.
 */
#include <glib.h>

#ifdef __SANITIZE_THREAD__

#include <dlfcn.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

/* Calls GLib's own NAME. */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define LOCK(function, Type)                                                                       \
    void(function)(Type * lock)                                                                    \
    {                                                                                              \
        static __typeof__(&function) next;                                                         \
        if (!next)                                                                                 \
            next = NEXT(function);                                                                 \
        next(lock);                                                                                \
        __tsan_acquire(lock);                                                                      \
    }

#define UNLOCK(function, Type)                                                                     \
    void(function)(Type * lock)                                                                    \
    {                                                                                              \
        static __typeof__(&function) next;                                                         \
        if (!next)                                                                                 \
            next = NEXT(function);                                                                 \
        __tsan_release(lock);                                                                      \
        next(lock);                                                                                \
    }

#define TRYLOCK(function, Type)                                                                    \
    gboolean(function)(Type * lock)                                                                \
    {                                                                                              \
        static __typeof__(&function) next;                                                         \
        if (!next)                                                                                 \
            next = NEXT(function);                                                                 \
        if (!next(lock))                                                                           \
            return FALSE;                                                                          \
        __tsan_acquire(lock);                                                                      \
        return TRUE;                                                                               \
    }

LOCK(g_mutex_lock, GMutex)
UNLOCK(g_mutex_unlock, GMutex)
TRYLOCK(g_mutex_trylock, GMutex)
LOCK(g_rec_mutex_lock, GRecMutex)
UNLOCK(g_rec_mutex_unlock, GRecMutex)
TRYLOCK(g_rec_mutex_trylock, GRecMutex)

void(g_cond_wait)(GCond *cond, GMutex *mutex)
{
    __tsan_release(mutex);
    NEXT(g_cond_wait)(cond, mutex);
    __tsan_acquire(mutex);
}

gboolean(g_cond_wait_until)(GCond *cond, GMutex *mutex, gint64 end_us)
{
    gboolean result;

    __tsan_release(mutex);
    result = NEXT(g_cond_wait_until)(cond, mutex, end_us);
    __tsan_acquire(mutex);
    return result;
}

#endif
