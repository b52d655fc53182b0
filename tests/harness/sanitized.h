/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Whether a test runs under a sanitizer, valgrind or an emulator: those bring their own malloc or
 * threads, and make everything several times slower and larger, so that bounds on time and memory
 * say nothing.
 */
#ifndef SANITIZED_H
#define SANITIZED_H

#include <glib.h>
#include <stdbool.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED_BUILD 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED_BUILD 1
#endif
#endif
#ifndef SANITIZED_BUILD
#define SANITIZED_BUILD 0
#endif

/** is_sanitized: TEST_UNDER_VALGRIND in the environment says what the build cannot know. */
static inline bool is_sanitized(void)
{
    return SANITIZED_BUILD || g_getenv("TEST_UNDER_VALGRIND");
}

#endif
