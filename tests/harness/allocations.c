/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "allocations.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "sanitized.h"

static atomic_long count;

long allocations_count(void)
{
    return atomic_load(&count);
}

/* glibc's own names for what it is asked for: no other way down does not itself allocate. */
#if defined(__GLIBC__) && !SANITIZED_BUILD
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

void *malloc(size_t bytes)
{
    atomic_fetch_add(&count, 1);
    return __libc_malloc(bytes);
}

void *calloc(size_t n, size_t bytes)
{
    atomic_fetch_add(&count, 1);
    return __libc_calloc(n, bytes);
}

void *realloc(void *old, size_t bytes)
{
    void *new = __libc_realloc(old, bytes);
    /* One that leaves the block where it is takes no memory: GstVideoConverter does so per frame. */
    if (new != old)
        atomic_fetch_add(&count, 1);
    return new;
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    atomic_fetch_add(&count, 1);
    return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **result, size_t alignment, size_t bytes)
{
    atomic_fetch_add(&count, 1);
    *result = __libc_memalign(alignment, bytes);
    return *result ? 0 : ENOMEM;
}
#endif
